using EventMesh.Events;
using EventMesh.Identity;
using EventMesh.Marten.Store.Internal;
using EventMesh.Projections;
using Npgsql;

namespace EventMesh.Marten.Projections.Internal;

/// <summary>The bootstrap cache, and each version that an entry of it ever had.</summary>
internal sealed class BootstrapCacheProjection(string schema, NpgsqlDataSource? source, LogReader? reader)
    : IntervalProjection<PeerId, BootstrapCacheEntry>(
        "bootstrap_cache", schema, source, reader,
        typeof(CacheEntryAdded), typeof(CacheEntryRefreshed), typeof(CacheEntryConfirmed), typeof(CacheEntryEvicted), typeof(DialFailed),
        typeof(CacheSegmentOpened))
{
    protected override IReadOnlyList<(string Name, string Type)> Columns { get; } =
    [
        ("peer", "text not null"), ("endpoints", "text[] not null"), ("certificate", "bytea not null"), ("origin", "text not null"),
        ("added_at", "timestamptz not null"), ("last_connected_at", "timestamptz not null"), ("is_confirmed", "boolean not null"),
        ("failures", "integer not null"), ("last_failed_at", "timestamptz"),
    ];

    protected override string KeyColumn => "peer";

    protected override IReadOnlyList<string> WithoutStatistics { get; } = ["endpoints", "certificate"];

    protected override IEnumerable<PeerId> KeysOf(IMeshEvent data) => data switch
    {
        CacheEntryAdded e => [e.Peer],
        CacheEntryRefreshed e => [e.Peer],
        CacheEntryConfirmed e => [e.Peer],
        CacheEntryEvicted e => [e.Peer],
        DialFailed { Expected: { } expected } => [expected],
        _ => [],
    };

    protected override string KeyText(PeerId key) => key.ToString();

    protected override PeerId KeyOf(BootstrapCacheEntry entry) => entry.Peer;

    protected override IReadOnlyList<PeerId>? SnapshotOf(IMeshEvent data) =>
        data is CacheSegmentOpened e ? [.. e.Entries.Select(entry => entry.Peer)] : null;

    protected override BootstrapCacheEntry? Fold(PeerId key, BootstrapCacheEntry? before, RecordedEvent recorded)
    {
        BootstrapCacheState state = before is null
            ? BootstrapCacheState.Empty
            : new(BootstrapCacheState.Empty.Entries.Add(key, before));
        return BootstrapCacheState.Apply(state, recorded).Entries.GetValueOrDefault(key);
    }

    protected override object?[] Write(BootstrapCacheEntry entry) =>
    [
        entry.Peer.ToString(), Texts.Write(entry.Endpoints), entry.Certificate, Texts.Write(entry.Origin), entry.AddedAt.ToUniversalTime(),
        entry.LastConnectedAt.ToUniversalTime(), entry.IsConfirmed, entry.Failures,
        entry.LastFailedAt?.ToUniversalTime(),
    ];

    protected override BootstrapCacheEntry Read(NpgsqlDataReader reader, int ordinal) => new(
        PeerId.Parse(reader.GetString(ordinal)), Texts.ReadEndPoints(reader, ordinal + 1), reader.GetFieldValue<byte[]>(ordinal + 2),
        Texts.Read<ConnectionDirection>(reader, ordinal + 3), reader.GetFieldValue<DateTimeOffset>(ordinal + 4),
        reader.GetFieldValue<DateTimeOffset>(ordinal + 5), reader.GetBoolean(ordinal + 6), reader.GetInt32(ordinal + 7))
    {
        LastFailedAt = reader.IsDBNull(ordinal + 8) ? null : reader.GetFieldValue<DateTimeOffset>(ordinal + 8),
    };
}
