using EventMesh.Events;
using EventMesh.Identity;
using EventMesh.Marten.Store.Internal;
using EventMesh.Projections;
using Npgsql;

namespace EventMesh.Marten.Projections.Internal;

/// <summary>The bootstrap cache, and each version that an entry of it ever had.</summary>
internal sealed class BootstrapCacheProjection(string schema, NpgsqlDataSource? source, LogReader? reader)
    : IntervalProjection<BootstrapCacheEntry>(
        "bootstrap_cache", schema, source, reader,
        typeof(CacheEntryAdded), typeof(CacheEntryRefreshed), typeof(CacheEntryConfirmed), typeof(CacheEntryEvicted), typeof(DialFailed),
        typeof(CacheSegmentOpened))
{
    protected override IReadOnlyList<(string Name, string Type)> Columns { get; } =
    [
        ("endpoints", "text[] not null"), ("certificate", "bytea not null"), ("origin", "text not null"), ("added_at", "timestamptz not null"),
        ("last_connected_at", "timestamptz not null"), ("is_confirmed", "boolean not null"), ("failures", "integer not null"),
        ("last_failed_at", "timestamptz"),
    ];

    protected override PeerId? PeerOf(IMeshEvent data) => data switch
    {
        CacheEntryAdded e => e.Peer,
        CacheEntryRefreshed e => e.Peer,
        CacheEntryConfirmed e => e.Peer,
        CacheEntryEvicted e => e.Peer,
        DialFailed e => e.Expected,
        _ => null,
    };

    protected override IReadOnlyList<PeerId>? SnapshotOf(IMeshEvent data) =>
        data is CacheSegmentOpened e ? [.. e.Entries.Select(entry => entry.Peer)] : null;

    protected override BootstrapCacheEntry? Fold(PeerId peer, BootstrapCacheEntry? before, RecordedEvent recorded)
    {
        BootstrapCacheState state = before is null
            ? BootstrapCacheState.Empty
            : new(BootstrapCacheState.Empty.Entries.Add(peer, before));
        return BootstrapCacheState.Apply(state, recorded).Entries.GetValueOrDefault(peer);
    }

    protected override object?[] Write(BootstrapCacheEntry entry) =>
    [
        Texts.Write(entry.Endpoints), entry.Certificate, Texts.Write(entry.Origin), entry.AddedAt.ToUniversalTime(),
        entry.LastConnectedAt.ToUniversalTime(), entry.IsConfirmed, entry.Failures,
        entry.LastFailedAt?.ToUniversalTime(),
    ];

    protected override BootstrapCacheEntry Read(PeerId peer, NpgsqlDataReader reader, int ordinal) => new(
        peer, Texts.ReadEndPoints(reader, ordinal), reader.GetFieldValue<byte[]>(ordinal + 1), Texts.Read<ConnectionDirection>(reader, ordinal + 2),
        reader.GetFieldValue<DateTimeOffset>(ordinal + 3), reader.GetFieldValue<DateTimeOffset>(ordinal + 4), reader.GetBoolean(ordinal + 5),
        reader.GetInt32(ordinal + 6))
    {
        LastFailedAt = reader.IsDBNull(ordinal + 7) ? null : reader.GetFieldValue<DateTimeOffset>(ordinal + 7),
    };
}
