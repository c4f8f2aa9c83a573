using EventMesh.Events;
using EventMesh.Identity;
using EventMesh.Marten.Queries;
using EventMesh.Marten.Store.Internal;
using EventMesh.Projections;
using Npgsql;

namespace EventMesh.Marten.Projections.Internal;

/// <summary>Who is joined to whom: the edges that the nodes of the schema see, in one table.</summary>
internal sealed class MeshTopologyProjection(string schema, NpgsqlDataSource? source, LogReader? reader)
    : IntervalProjection<PeerId, MeshTopologyProjection.Edge>(
        "mesh_topology", schema, source, reader, typeof(PeerJoined), typeof(PeerUpdated), typeof(PeerLeft), typeof(PeersSegmentOpened))
{
    private const string EdgeColumns = "node_id, node, peer, peer_node_id, kind, joined_at";

    protected override IReadOnlyList<(string Name, string Type)> Columns { get; } =
        [("peer", "text not null"), ("kind", "text not null"), ("joined_at", "timestamptz not null")];

    protected override string KeyColumn => "peer";

    // The identities of the nodes are another projection's, which its view shows whatever its generation.
    public override string CreateViews(int generation) =>
        $"""
        create or replace view {Schema}.{HistoryView} as
            select t.node_id, self.identity as node, t.peer, other.node_id as peer_node_id, t.kind, t.joined_at, t.valid, t.from_seq, t.to_seq
            from {Versions(generation)}
                left join lateral (
                    select identity from {Schema}.{NodeStatusProjection.History} s where s.node_id = t.node_id and s.from_seq < t.from_seq
                    order by s.from_seq desc limit 1) self on true
                left join lateral (
                    select node_id from {Schema}.{NodeStatusProjection.History} s where s.identity = t.peer order by s.from_seq desc limit 1) other on true;
        create or replace view {Schema}.{PresentView} as
            select {EdgeColumns}, lower(valid) as since, from_seq from {Schema}.{HistoryView} where to_seq is null;

        """;

    /// <summary>The edges of a node, or of all, now or as of a time.</summary>
    public Task<List<MeshEdge>> QueryEdgesAsync(NpgsqlConnection connection, Guid? node, DateTimeOffset? at, CancellationToken cancellationToken)
    {
        List<object> values = [];
        List<string> conditions = [];
        if (node is { } id)
        {
            values.Add(id);
            conditions.Add($"node_id = ${values.Count}");
        }
        if (at is { } time)
        {
            values.Add(time.ToUniversalTime());
            conditions.Add($"{Schema}.holds_at(valid, ${values.Count})");
        }
        string where = conditions.Count == 0 ? "" : $"where {string.Join(" and ", conditions)}";
        NpgsqlCommand command = Sql.Command(
            connection, $"select {EdgeColumns} from {Schema}.{(at is null ? PresentView : HistoryView)} {where} order by node_id, peer", [.. values]);
        return Sql.QueryAsync(
            command,
            row => new MeshEdge(
                new NodeId(row.GetGuid(0)), Texts.ReadOptional(row, 1) is { } self ? PeerId.Parse(self) : null, PeerId.Parse(row.GetString(2)),
                row.IsDBNull(3) ? null : new NodeId(row.GetGuid(3)), Texts.Read<PeerKind>(row, 4), row.GetFieldValue<DateTimeOffset>(5)),
            cancellationToken);
    }

    protected override IEnumerable<PeerId> KeysOf(IMeshEvent data) => data switch
    {
        PeerJoined e => [e.Peer],
        PeerUpdated e => [e.Peer],
        PeerLeft e => [e.Peer],
        _ => [],
    };

    protected override IReadOnlyList<PeerId>? SnapshotOf(IMeshEvent data) => data is PeersSegmentOpened e ? [.. e.Peers.Select(peer => peer.Peer)] : null;

    protected override string KeyText(PeerId key) => key.ToString();

    protected override PeerId KeyOf(Edge entry) => entry.Peer;

    // New addresses make no new edge.
    protected override Edge? Fold(PeerId key, Edge? before, RecordedEvent recorded)
    {
        PeerDirectoryState state = before is null
            ? PeerDirectoryState.Empty
            : new(PeerDirectoryState.Empty.Joined.Add(key, new(key, Guid.Empty, before.Kind, [], "", before.JoinedAt)));
        Edge? after = PeerDirectoryState.Apply(state, recorded).Joined.TryGetValue(key, out JoinedPeer? peer) ? new(key, peer.Kind, peer.JoinedAt) : null;
        return after == before ? before : after;
    }

    protected override object?[] Write(Edge entry) => [entry.Peer.ToString(), Texts.Write(entry.Kind), entry.JoinedAt.ToUniversalTime()];

    protected override Edge Read(NpgsqlDataReader reader, int ordinal) =>
        new(PeerId.Parse(reader.GetString(ordinal)), Texts.Read<PeerKind>(reader, ordinal + 1), reader.GetFieldValue<DateTimeOffset>(ordinal + 2));

    internal sealed record Edge(PeerId Peer, PeerKind Kind, DateTimeOffset JoinedAt);
}
