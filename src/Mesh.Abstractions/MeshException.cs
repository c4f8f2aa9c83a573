namespace EventMesh;

/// <summary>The one exception of EventMesh; callers switch on <see cref="Error"/>.</summary>
/// <param name="error">What went wrong.</param>
/// <param name="message">The cause and the remedy, for people.</param>
/// <param name="innerException">The cause below, if any.</param>
public sealed class MeshException(MeshError error, string message, Exception? innerException = null) : Exception(message, innerException)
{
    /// <summary>What went wrong.</summary>
    public MeshError Error { get; } = error;

    /// <summary>
    /// The application or transport code that the peer sent with a close, reset or refusal, when there was one; the table
    /// of codes is in docs/protocol.md.
    /// </summary>
    public ulong? RemoteCode { get; init; }

    /// <summary>Whether the same operation may succeed later without a change by anybody.</summary>
    public bool IsTransient => Error is MeshError.Unreachable or MeshError.ConnectionLost or MeshError.IdleTimeout
        or MeshError.Timeout or MeshError.QueueFull or MeshError.Busy or MeshError.TooManyConnections
        or MeshError.StoreUnavailable or MeshError.ClosedByPeer or MeshError.ReverseCheckFailed;
}
