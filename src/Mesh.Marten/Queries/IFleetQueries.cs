namespace EventMesh.Marten.Queries;

/// <summary>What the projections know of all nodes that share a database and a schema. It reads views only: a role that may read nothing else can ask.</summary>
/// <remarks>
/// All members may be called concurrently, once the store is open. Each answer has at most <see cref="MaxRows"/> rows, in order of node, then peer. The
/// tasks fail with <see cref="MeshException"/>: <see cref="MeshError.StoreUnavailable"/>.
/// </remarks>
public interface IFleetQueries
{
    /// <summary>The most rows in an answer: 10,000.</summary>
    const int MaxRows = 10_000;

    /// <summary>The nodes.</summary>
    Task<IReadOnlyList<FleetNode>> GetNodesAsync(CancellationToken cancellationToken = default);

    /// <summary>The peers joined to each.</summary>
    Task<IReadOnlyList<FleetPeer>> GetPeersAsync(CancellationToken cancellationToken = default);

    /// <summary>The bootstrap cache of each.</summary>
    Task<IReadOnlyList<FleetCacheEntry>> GetCacheAsync(CancellationToken cancellationToken = default);

    /// <summary>The decisions on trust in force at each.</summary>
    Task<IReadOnlyList<FleetDecision>> GetTrustAsync(CancellationToken cancellationToken = default);

    /// <summary>Who lets the projections follow; null when nobody ever did.</summary>
    Task<FleetLeader?> GetLeaderAsync(CancellationToken cancellationToken = default);
}
