namespace EventMesh.Transport.InMemory.Internal;

/// <summary>Why a stream or a connection can't go on; each caller gets an exception of its own.</summary>
internal sealed record Failure(MeshError Error, ulong? Code, string Detail)
{
    public static Failure Of(TransportCloseInfo info) =>
        new(info.Error, info.Error == MeshError.ClosedByPeer ? info.ApplicationCode : null, info.Detail);

    public MeshException ToException() => new(Error, Detail) { RemoteCode = Code };
}
