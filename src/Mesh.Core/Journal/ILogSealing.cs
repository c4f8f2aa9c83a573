namespace EventMesh.Journal;

/// <summary>Lets the node's key vouch for its log.</summary>
/// <remarks>All members may be called concurrently, once the node has started.</remarks>
public interface ILogSealing
{
    /// <summary>Signs the end of what is committed, without recording it: for a copy that is kept elsewhere.</summary>
    /// <remarks>The task fails with <see cref="MeshException"/>: <see cref="MeshError.StoreUnavailable"/>, also where the store keeps no chain.</remarks>
    Task<SignedHead> SignHeadAsync(CancellationToken cancellationToken = default);
}
