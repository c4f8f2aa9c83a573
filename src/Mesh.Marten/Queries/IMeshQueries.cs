using EventMesh.Events;
using EventMesh.Identity;
using EventMesh.Projections;

namespace EventMesh.Marten.Queries;

/// <summary>What the stored projections know. They follow the log, usually by a few milliseconds: <see cref="GetProjectionsAsync"/> tells by how much.</summary>
/// <remarks>
/// All members may be called concurrently, once the store is open. Times are kept to the microsecond. The tasks fail with
/// <see cref="MeshException"/>: <see cref="MeshError.StoreUnavailable"/>.
/// </remarks>
public interface IMeshQueries
{
    /// <summary>The bootstrap cache of a node, the most recently connected first.</summary>
    /// <param name="node">The node.</param>
    /// <param name="at">As of when; null for now.</param>
    /// <param name="cancellationToken">Ends the query.</param>
    Task<IReadOnlyList<BootstrapCacheEntry>> GetCacheAsync(NodeId node, DateTimeOffset? at = null, CancellationToken cancellationToken = default);

    /// <summary>The peers that are joined to a node, in order of identity.</summary>
    /// <param name="node">The node.</param>
    /// <param name="at">As of when; null for now.</param>
    /// <param name="cancellationToken">Ends the query.</param>
    Task<IReadOnlyList<JoinedPeer>> GetPeersAsync(NodeId node, DateTimeOffset? at = null, CancellationToken cancellationToken = default);

    /// <summary>The connections of a node, the last opened first, a page at a time.</summary>
    Task<IReadOnlyList<ConnectionRecord>> GetConnectionsAsync(NodeId node, ConnectionFilter filter, CancellationToken cancellationToken = default);

    /// <summary>
    /// The peers that were joined to a node at a time, a page at a time. All pages stand on one place of the log, also while the projection goes on.
    /// </summary>
    /// <remarks>The task fails with <see cref="MeshError.InvalidConfiguration"/> when <see cref="HistoryFilter.After"/> is no cursor of this query.</remarks>
    Task<HistoryPage<JoinedPeer>> FindPeersAsync(NodeId node, HistoryFilter filter, CancellationToken cancellationToken = default);

    /// <summary>The bootstrap cache of a node at a time, like <see cref="FindPeersAsync"/>.</summary>
    Task<HistoryPage<BootstrapCacheEntry>> FindCacheEntriesAsync(NodeId node, HistoryFilter filter, CancellationToken cancellationToken = default);

    /// <summary>
    /// The connections of a node in order of their opening, a page at a time. Connections that open meanwhile come before the first page or after the last,
    /// never in between.
    /// </summary>
    /// <remarks>The task fails with <see cref="MeshError.InvalidConfiguration"/> when <see cref="ConnectionFilter.After"/> is no cursor of this query.</remarks>
    Task<HistoryPage<ConnectionRecord>> FindConnectionsAsync(NodeId node, ConnectionFilter filter, CancellationToken cancellationToken = default);

    /// <summary>
    /// Every event of a node's log that concerns a peer (<see cref="EventSubjects"/>), in order of place, a page at a time. It comes from the log itself, not from
    /// a projection.
    /// </summary>
    /// <remarks>
    /// A page may be shorter than its limit, or empty, and not be the last: with <see cref="TimelineFilter.Types"/> at most 5,000 events of the peer are
    /// looked at for one. The task fails with <see cref="MeshError.InvalidConfiguration"/> when <see cref="TimelineFilter.After"/> is no cursor of this query.
    /// </remarks>
    Task<HistoryPage<RecordedEvent>> GetTimelineAsync(NodeId node, PeerId peer, TimelineFilter filter, CancellationToken cancellationToken = default);

    /// <summary>The peers whose identity begins so and that a node was joined to, connected with or had in its cache, at any time; at most a few.</summary>
    /// <param name="node">The node.</param>
    /// <param name="prefix">The beginning, in lower case.</param>
    /// <param name="limit">How many at most.</param>
    /// <param name="cancellationToken">Ends the query.</param>
    Task<IReadOnlyList<PeerId>> FindPeerIdsAsync(NodeId node, string prefix, int limit, CancellationToken cancellationToken = default);

    /// <summary>
    /// The net difference between what a node knew at two times: who joined, left, was trusted, blocked, unblocked, pinned, entered or left the cache, and how many
    /// connections were opened and closed between them.
    /// </summary>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="from"/> is after <paramref name="to"/>.</exception>
    Task<MeshDifference> GetDifferenceAsync(NodeId node, DateTimeOffset from, DateTimeOffset to, CancellationToken cancellationToken = default);

    /// <summary>Each change of those kinds between two times, in order of place, a page at a time, from the log itself.</summary>
    /// <remarks>The task fails with <see cref="MeshError.InvalidConfiguration"/> when <see cref="ChangeFilter.After"/> is no cursor of this query.</remarks>
    Task<HistoryPage<MeshChange>> GetChangesAsync(NodeId node, ChangeFilter filter, CancellationToken cancellationToken = default);

    /// <summary>The decisions on trust that are in force on a node, in order of kind and subject.</summary>
    /// <param name="node">The node.</param>
    /// <param name="at">As of when; null for now, by the clock of the database.</param>
    /// <param name="cancellationToken">Ends the query.</param>
    Task<IReadOnlyList<TrustLedgerEntry>> GetTrustAsync(NodeId node, DateTimeOffset? at = null, CancellationToken cancellationToken = default);

    /// <summary>The run of a node, the last one when it does not run; null before the first.</summary>
    /// <param name="node">The node.</param>
    /// <param name="at">As of when; null for now.</param>
    /// <param name="cancellationToken">Ends the query.</param>
    Task<NodeRun?> GetNodeAsync(NodeId node, DateTimeOffset? at = null, CancellationToken cancellationToken = default);

    /// <summary>Who is joined to whom, in order of node and peer.</summary>
    /// <param name="node">Only what this node sees; null for all nodes that share the schema.</param>
    /// <param name="at">As of when; null for now.</param>
    /// <param name="cancellationToken">Ends the query.</param>
    Task<IReadOnlyList<MeshEdge>> GetTopologyAsync(NodeId? node, DateTimeOffset? at = null, CancellationToken cancellationToken = default);

    /// <summary>The decisions on trust that were in force on a node at a time, in order of kind and subject, all on one page.</summary>
    Task<HistoryPage<TrustLedgerEntry>> FindTrustAsync(NodeId node, DateTimeOffset at, CancellationToken cancellationToken = default);

    /// <summary>Who was joined to whom at a time, with the place in each node's log that the answer stands on.</summary>
    /// <param name="node">Only what this node saw; null for all nodes that share the schema.</param>
    /// <param name="at">As of when; null for now.</param>
    /// <param name="cancellationToken">Ends the query.</param>
    Task<MeshTopology> FindTopologyAsync(NodeId? node, DateTimeOffset? at = null, CancellationToken cancellationToken = default);

    /// <summary>The last place in a node's log at or before a time; 0 when the log begins later, or there is none.</summary>
    Task<long> FindPlaceAsync(NodeId node, DateTimeOffset at, CancellationToken cancellationToken = default);

    /// <summary>How far each projection has followed a node's log.</summary>
    Task<IReadOnlyList<ProjectionStatus>> GetProjectionsAsync(NodeId node, CancellationToken cancellationToken = default);

    /// <summary>
    /// Folds a projection anew, for all nodes, beside the one in use, which answers until the new one is complete and takes its place in one
    /// transaction. One that was interrupted, by whatever, goes on where it stopped when it is asked for again.
    /// </summary>
    /// <remarks>The task fails with <see cref="MeshError.ConcurrencyConflict"/> while another rebuild of the same projection runs, in whichever process.</remarks>
    /// <param name="projection">Its name, as in <see cref="ProjectionStatus.Name"/>.</param>
    /// <param name="cancellationToken">Interrupts the rebuild; the projection in use stays.</param>
    /// <exception cref="ArgumentException">There is no such projection.</exception>
    Task RebuildAsync(string projection, CancellationToken cancellationToken = default);
}
