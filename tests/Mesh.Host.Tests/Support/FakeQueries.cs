using EventMesh.Events;
using EventMesh.Identity;
using EventMesh.Marten.Queries;
using EventMesh.Marten.Store;
using EventMesh.Projections;
using EventMesh.Tests.Common.Hosting;

namespace EventMesh.Host.Tests.Support;

/// <summary>History as the pure folds have it, of a node whose log a test plays; its pages are of one item where a test wants more than one.</summary>
internal sealed class FakeQueries(FakeNodeLog log) : IMeshQueries, ILogImporter
{
    /// <summary>The place up to which the projections have folded; all without one.</summary>
    public long? Folded { get; set; }

    /// <summary>What was imported.</summary>
    public List<RecordedEvent> Imported { get; } = [];

    /// <summary>Whose log was imported, and how far it has to go.</summary>
    public (NodeId Node, long? Through)? Import { get; private set; }

    /// <summary>The filter of the last query for connections.</summary>
    public ConnectionFilter? Connections { get; private set; }

    /// <summary>The peers that history knows.</summary>
    public IReadOnlyList<PeerId> Met { get; set; } = [];

    /// <summary>The filter of the last query for a timeline.</summary>
    public TimelineFilter? Timeline { get; private set; }

    /// <summary>The filter of the last other query.</summary>
    public HistoryFilter? Filter { get; private set; }

    public async Task<HistoryPage<JoinedPeer>> FindPeersAsync(NodeId node, HistoryFilter filter, CancellationToken cancellationToken = default)
    {
        (MeshState state, HistoryPoint point) = await FoldAsync(node, filter, cancellationToken);
        return new([.. state.Peers.Joined.Values.Take(filter.Limit)], point, state.Peers.Joined.Count > filter.Limit ? "cursor" : null);
    }

    public async Task<HistoryPage<BootstrapCacheEntry>> FindCacheEntriesAsync(
        NodeId node, HistoryFilter filter, CancellationToken cancellationToken = default)
    {
        (MeshState state, HistoryPoint point) = await FoldAsync(node, filter, cancellationToken);
        return new([.. state.Cache.NewestFirst()], point, null);
    }

    public async Task<HistoryPage<ConnectionRecord>> FindConnectionsAsync(
        NodeId node, ConnectionFilter filter, CancellationToken cancellationToken = default)
    {
        Connections = filter;
        (MeshState state, HistoryPoint point) = await FoldAsync(node, new HistoryFilter { At = filter.OpenAt }, cancellationToken);
        return new(
            [.. state.Connections.Open.Values.Select(c => new ConnectionRecord(c.Connection, c.Peer, c.Remote, c.Direction, c.OpenedAt, 1, null))], point, null);
    }

    public async Task<HistoryPage<RecordedEvent>> GetTimelineAsync(
        NodeId node, PeerId peer, TimelineFilter filter, CancellationToken cancellationToken = default)
    {
        Timeline = filter;
        List<RecordedEvent> found = [];
        await foreach (RecordedEvent recorded in log.ReadAsync(node, 0, null, cancellationToken))
        {
            if (EventSubjects.Of(recorded.Data).Contains(peer)) found.Add(recorded);
        }
        return new(found, new HistoryPoint(log.LastNodeSeq, log.LastNodeSeq, found[^1].Time, log.LastNodeSeq), null);
    }

    public Task<IReadOnlyList<PeerId>> FindPeerIdsAsync(NodeId node, string prefix, int limit, CancellationToken cancellationToken = default) =>
        Task.FromResult<IReadOnlyList<PeerId>>([.. Met.Where(peer => peer.ToString().StartsWith(prefix, StringComparison.Ordinal)).Take(limit)]);

    public async Task<MeshDifference> GetDifferenceAsync(
        NodeId node, DateTimeOffset from, DateTimeOffset to, CancellationToken cancellationToken = default)
    {
        (MeshState before, HistoryPoint first) = await FoldAsync(node, new HistoryFilter { At = from }, cancellationToken);
        (MeshState after, HistoryPoint last) = await FoldAsync(node, new HistoryFilter { At = to }, cancellationToken);
        return new(first, last, MeshChanges.Between(before, from, after, to), 3, 4);
    }

    public async Task<HistoryPage<MeshChange>> GetChangesAsync(NodeId node, ChangeFilter filter, CancellationToken cancellationToken = default)
    {
        List<MeshChange> changes = [];
        await foreach (RecordedEvent recorded in log.ReadAsync(node, 0, null, cancellationToken))
        {
            if (recorded.Time > filter.From && recorded.Time <= filter.To && MeshChanges.Of(recorded) is { } change) changes.Add(change);
        }
        return new([.. changes.Take(filter.Limit)], new HistoryPoint(6, 6, filter.To, 6), changes.Count > filter.Limit ? "cursor" : null);
    }

    public async Task<HistoryPage<TrustLedgerEntry>> FindTrustAsync(NodeId node, DateTimeOffset at, CancellationToken cancellationToken = default)
    {
        (MeshState state, HistoryPoint point) = await FoldAsync(node, new HistoryFilter { At = at }, cancellationToken);
        return new([.. TrustLedgerEntry.AllIn(state.Trust)], point, null);
    }

    public async Task<MeshTopology> FindTopologyAsync(NodeId? node, DateTimeOffset? at = null, CancellationToken cancellationToken = default)
    {
        NodeId[] nodes = node is { } only ? [only] : [new(Guid.Empty), new(Guid.AllBitsSet)];
        (MeshState state, HistoryPoint point) = await FoldAsync(nodes[0], new HistoryFilter { At = at }, cancellationToken);
        return new(
            [.. nodes.SelectMany(each => state.Peers.Joined.Values.Select(peer => new MeshEdge(each, FakeMesh.PeerOf(0), peer.Peer, null, peer.Kind, peer.JoinedAt)))],
            nodes.ToDictionary(each => each, _ => point));
    }

    public Task<IReadOnlyList<TrustLedgerEntry>> GetTrustAsync(NodeId node, DateTimeOffset? at = null, CancellationToken cancellationToken = default) =>
        throw new NotSupportedException();

    public Task<NodeRun?> GetNodeAsync(NodeId node, DateTimeOffset? at = null, CancellationToken cancellationToken = default) =>
        throw new NotSupportedException();

    public Task<IReadOnlyList<MeshEdge>> GetTopologyAsync(NodeId? node, DateTimeOffset? at = null, CancellationToken cancellationToken = default) =>
        throw new NotSupportedException();

    public async Task<long> ImportAsync(NodeId node, IAsyncEnumerable<RecordedEvent> events, long? through, CancellationToken cancellationToken = default)
    {
        Import = (node, through);
        await foreach (RecordedEvent recorded in events.WithCancellation(cancellationToken)) Imported.Add(recorded);
        return Imported.Count;
    }

    public async Task<long> FindPlaceAsync(NodeId node, DateTimeOffset at, CancellationToken cancellationToken = default) =>
        (await FoldAsync(node, new HistoryFilter { At = at }, cancellationToken)).Point.Seq;

    public Task<IReadOnlyList<BootstrapCacheEntry>> GetCacheAsync(NodeId node, DateTimeOffset? at = null, CancellationToken cancellationToken = default) =>
        throw new NotSupportedException();

    public Task<IReadOnlyList<JoinedPeer>> GetPeersAsync(NodeId node, DateTimeOffset? at = null, CancellationToken cancellationToken = default) =>
        throw new NotSupportedException();

    public Task<IReadOnlyList<ConnectionRecord>> GetConnectionsAsync(
        NodeId node, ConnectionFilter filter, CancellationToken cancellationToken = default) => throw new NotSupportedException();

    public Task<IReadOnlyList<ProjectionStatus>> GetProjectionsAsync(NodeId node, CancellationToken cancellationToken = default) =>
        throw new NotSupportedException();

    public Task RebuildAsync(string projection, CancellationToken cancellationToken = default) => throw new NotSupportedException();

    private async Task<(MeshState State, HistoryPoint Point)> FoldAsync(NodeId node, HistoryFilter filter, CancellationToken cancellationToken)
    {
        Filter = filter;
        List<RecordedEvent> events = [];
        await foreach (RecordedEvent recorded in log.ReadAsync(node, 0, null, cancellationToken)) events.Add(recorded);
        List<RecordedEvent> until = [.. events.Where(e => filter.At is null || e.Time <= filter.At)];
        List<RecordedEvent> folded = [.. until.Where(e => e.NodeSeq <= (Folded ?? long.MaxValue))];
        return (
            folded.Aggregate(MeshState.Empty, MeshState.Apply),
            new HistoryPoint(until.Count, folded.Count, folded.Count > 0 ? folded[^1].Time : null, events.Count));
    }
}
