using System.Net;
using EventMesh.Identity;
using EventMesh.Projections;

namespace EventMesh.Bootstrap;

/// <summary>What an operator does with the bootstrap cache of the running node. All members may be called concurrently.</summary>
/// <remarks>Removal and import complete when the change is durable. The tasks fail with <see cref="MeshException"/>.</remarks>
public interface IBootstrapCache
{
    /// <summary>
    /// Dials an address; the node there enters the cache like any other that was reached. It fails with what the dial failed with, with
    /// <see cref="MeshError.ReverseCheckFailed"/> when the peer there can't be dialled, and with <see cref="MeshError.InvalidConfiguration"/> for a
    /// hard-coded contact, which is never cached.
    /// </summary>
    /// <param name="endpoint">The address.</param>
    /// <param name="expected">The peer that has to be there; null for any.</param>
    /// <param name="cancellationToken">Cancels the dial.</param>
    Task<BootstrapCacheEntry> AddAsync(IPEndPoint endpoint, PeerId? expected, CancellationToken cancellationToken);

    /// <summary>Takes a node out; null when it was not in.</summary>
    /// <param name="peer">The node.</param>
    /// <param name="cancellationToken">Ends the wait, not the change.</param>
    Task<BootstrapCacheEntry?> RemoveAsync(PeerId peer, CancellationToken cancellationToken);

    /// <summary>
    /// Brings in nodes from another cache as far as there is room. They count as probed and are tried like the others. It fails with
    /// <see cref="MeshError.InvalidConfiguration"/>, and takes none, when one is malformed.
    /// </summary>
    /// <param name="records">The nodes, the most recently connected first.</param>
    /// <param name="cancellationToken">Ends the wait, not the change.</param>
    Task<CacheImport> ImportAsync(IReadOnlyList<CacheRecord> records, CancellationToken cancellationToken);
}
