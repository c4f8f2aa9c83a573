namespace EventMesh.Transport.Ngtcp2.Internal;

/// <summary>
/// Why a stream or connection can't go on. Each caller gets an exception of its own, because several may wait at once and
/// an exception that is thrown twice mixes their stacks.
/// </summary>
internal sealed record Failure(MeshError Error, string Message, ulong? RemoteCode = null)
{
    public static Failure WriteAborted { get; } = new(MeshError.Aborted, "The write side of the stream was aborted on this side.");

    public static Failure ReadAborted { get; } = new(MeshError.Aborted, "The read side of the stream was aborted on this side.");

    public static Failure EndpointDisposed { get; } = new(MeshError.Aborted, "The endpoint was disposed.");

    public static Failure StoppedByPeer(ulong code) => new(MeshError.ClosedByPeer, $"The peer stopped reading the stream with code {code}.", code);

    public static Failure ResetByPeer(ulong code) => new(MeshError.ClosedByPeer, $"The peer reset the stream with code {code}.", code);

    public MeshException ToException() => new(Error, Message) { RemoteCode = RemoteCode };
}
