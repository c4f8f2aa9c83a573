using EventMesh.Events;
using EventMesh.Identity;

namespace EventMesh.Marten.Audit;

/// <summary>Takes personal data out of a log that can otherwise only grow.</summary>
public interface ILogPrivacy
{
    /// <summary>
    /// Replaces a peer's addresses and the name of its program by pseudonyms in the events of a node and in what the projections hold. What the node still
    /// knows in memory is the caller's to forget first.
    /// </summary>
    /// <param name="node">The node.</param>
    /// <param name="peer">The peer.</param>
    /// <param name="record">
    /// Records the event that vouches for the new content, and returns once the store has it. Called once, before anything is changed, and not at all when there is nothing to change.
    /// </param>
    /// <param name="cancellationToken">
    /// Ends the work; before the event nothing is changed, after it the event stays without events that it vouches for, which an audit tells until the call is repeated.
    /// </param>
    /// <remarks>
    /// The task fails with <see cref="MeshException"/>: <see cref="MeshError.StoreUnavailable"/>. Calls for one node must not run at the same time.
    /// </remarks>
    Task<AuditErasure?> EraseAsync(
        NodeId node, PeerId peer, Func<PeerErased, CancellationToken, Task<RecordedEvent>> record, CancellationToken cancellationToken = default);
}
