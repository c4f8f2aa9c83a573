using EventMesh.Events;
using EventMesh.Identity;
using EventMesh.Marten.Store.Internal;
using EventMesh.Projections;
using Npgsql;

namespace EventMesh.Marten.Projections.Internal;

/// <summary>Who is joined, and who was when.</summary>
internal sealed class PeerDirectoryProjection(string schema, NpgsqlDataSource? source, LogReader? reader)
    : IntervalProjection<PeerId, JoinedPeer>(
        "peer_directory", schema, source, reader, typeof(PeerJoined), typeof(PeerUpdated), typeof(PeerLeft), typeof(PeersSegmentOpened))
{
    protected override IReadOnlyList<(string Name, string Type)> Columns { get; } =
    [
        ("peer", "text not null"), ("instance", "uuid not null"), ("kind", "text not null"), ("endpoints", "text[] not null"), ("agent", "text not null"),
        ("joined_at", "timestamptz not null"),
    ];

    protected override string KeyColumn => "peer";

    protected override IReadOnlyList<string> WithoutStatistics { get; } = ["endpoints"];

    protected override IEnumerable<PeerId> KeysOf(IMeshEvent data) => data switch
    {
        PeerJoined e => [e.Peer],
        PeerUpdated e => [e.Peer],
        PeerLeft e => [e.Peer],
        _ => [],
    };

    protected override string KeyText(PeerId key) => key.ToString();

    protected override PeerId KeyOf(JoinedPeer entry) => entry.Peer;

    protected override IReadOnlyList<PeerId>? SnapshotOf(IMeshEvent data) => data is PeersSegmentOpened e ? [.. e.Peers.Select(peer => peer.Peer)] : null;

    protected override JoinedPeer? Fold(PeerId key, JoinedPeer? before, RecordedEvent recorded)
    {
        PeerDirectoryState state = before is null ? PeerDirectoryState.Empty : new(PeerDirectoryState.Empty.Joined.Add(key, before));
        return PeerDirectoryState.Apply(state, recorded).Joined.GetValueOrDefault(key);
    }

    protected override object?[] Write(JoinedPeer entry) =>
        [entry.Peer.ToString(), entry.Instance, Texts.Write(entry.Kind), Texts.Write(entry.Endpoints), Texts.Write(entry.Agent), entry.JoinedAt.ToUniversalTime()];

    protected override JoinedPeer Read(NpgsqlDataReader reader, int ordinal) => new(
        PeerId.Parse(reader.GetString(ordinal)), reader.GetGuid(ordinal + 1), Texts.Read<PeerKind>(reader, ordinal + 2),
        Texts.ReadEndPoints(reader, ordinal + 3), reader.GetString(ordinal + 4), reader.GetFieldValue<DateTimeOffset>(ordinal + 5));
}
