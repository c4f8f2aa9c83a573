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

    /// <summary>How far each projection has followed a node's log.</summary>
    Task<IReadOnlyList<ProjectionStatus>> GetProjectionsAsync(NodeId node, CancellationToken cancellationToken = default);

    /// <summary>
    /// Folds a projection anew, for all nodes, beside the one in use, which answers until the new one is complete and takes its place in one
    /// transaction.
    /// </summary>
    /// <param name="projection">Its name, as in <see cref="ProjectionStatus.Name"/>.</param>
    /// <param name="cancellationToken">Ends the rebuild; the projection in use stays.</param>
    /// <exception cref="ArgumentException">There is no such projection.</exception>
    Task RebuildAsync(string projection, CancellationToken cancellationToken = default);
}
