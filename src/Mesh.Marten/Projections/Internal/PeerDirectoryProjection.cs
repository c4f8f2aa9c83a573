using EventMesh.Events;
using EventMesh.Identity;
using EventMesh.Marten.Store.Internal;
using EventMesh.Projections;
using Npgsql;

namespace EventMesh.Marten.Projections.Internal;

/// <summary>Who is joined, and who was when.</summary>
internal sealed class PeerDirectoryProjection(string schema, NpgsqlDataSource? source, LogReader? reader)
    : IntervalProjection<JoinedPeer>(
        "peer_directory", schema, source, reader, typeof(PeerJoined), typeof(PeerUpdated), typeof(PeerLeft), typeof(PeersSegmentOpened))
{
    protected override IReadOnlyList<(string Name, string Type)> Columns { get; } =
    [
        ("instance", "uuid not null"), ("kind", "text not null"), ("endpoints", "text[] not null"), ("agent", "text not null"),
        ("joined_at", "timestamptz not null"),
    ];

    protected override PeerId? PeerOf(IMeshEvent data) => data switch
    {
        PeerJoined e => e.Peer,
        PeerUpdated e => e.Peer,
        PeerLeft e => e.Peer,
        _ => null,
    };

    protected override IReadOnlyList<PeerId>? SnapshotOf(IMeshEvent data) => data is PeersSegmentOpened e ? [.. e.Peers.Select(peer => peer.Peer)] : null;

    protected override JoinedPeer? Fold(PeerId peer, JoinedPeer? before, RecordedEvent recorded)
    {
        PeerDirectoryState state = before is null ? PeerDirectoryState.Empty : new(PeerDirectoryState.Empty.Joined.Add(peer, before));
        return PeerDirectoryState.Apply(state, recorded).Joined.GetValueOrDefault(peer);
    }

    protected override object?[] Write(JoinedPeer entry) =>
        [entry.Instance, Texts.Write(entry.Kind), Texts.Write(entry.Endpoints), Texts.Write(entry.Agent), entry.JoinedAt.ToUniversalTime()];

    protected override JoinedPeer Read(PeerId peer, NpgsqlDataReader reader, int ordinal) => new(
        peer, reader.GetGuid(ordinal), Texts.Read<PeerKind>(reader, ordinal + 1), Texts.ReadEndPoints(reader, ordinal + 2), reader.GetString(ordinal + 3),
        reader.GetFieldValue<DateTimeOffset>(ordinal + 4));
}
