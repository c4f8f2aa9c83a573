using EventMesh.Events;
using EventMesh.Identity;

namespace EventMesh.Journal;

/// <summary>The node's part in erasing a peer's addresses from its log: that it forgets them itself, and that its log tells of it.</summary>
/// <remarks>All members may be called concurrently, once the node has started.</remarks>
public interface ILogErasing
{
    /// <summary>Takes a peer out of the bootstrap cache, and lets the next start begin new local files.</summary>
    /// <remarks>
    /// The task fails with <see cref="MeshException"/>: <see cref="MeshError.InvalidConfiguration"/> while the peer is joined, since its addresses are in use.
    /// </remarks>
    Task ForgetAsync(PeerId peer, CancellationToken cancellationToken = default);

    /// <summary>Records the erasure and returns once the store has it with everything before it.</summary>
    /// <remarks>The task fails with <see cref="MeshException"/>: <see cref="MeshError.StoreUnavailable"/> when the store does not take it within 30 s.</remarks>
    Task<RecordedEvent> RecordAsync(PeerErased erased, CancellationToken cancellationToken = default);
}
