using EventMesh.Identity;
using EventMesh.Journal;

namespace EventMesh.Marten.Audit;

/// <summary>Proves that a node's log is as it was recorded. docs/audit.md has the format, for other tools.</summary>
/// <remarks>
/// All members may be called concurrently, once the store is open, while the node goes on recording. The tasks fail with
/// <see cref="MeshException"/>: <see cref="MeshError.StoreUnavailable"/>.
/// </remarks>
public interface ILogAudit
{
    /// <summary>
    /// Walks a log from its first event to its end: places without a gap, order, chain, seals, and whether the projections hold what the log gives. It reads the
    /// whole log once, and once more for each projection.
    /// </summary>
    /// <param name="node">The node.</param>
    /// <param name="head">A head that was exported earlier, which the log has to extend; null for none.</param>
    /// <param name="cancellationToken">Ends the walk.</param>
    Task<AuditReport> VerifyAsync(NodeId node, SignedHead? head = null, CancellationToken cancellationToken = default);
}
