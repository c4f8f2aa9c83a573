namespace EventMesh.Wire;

/// <summary>What a code on the wire means to a caller, in one place.</summary>
internal static class WireCodeExtensions
{
    public static MeshError ToMeshError(this WireCode code) => code switch
    {
        WireCode.WrongMesh => MeshError.WrongMesh,
        WireCode.AlreadyConnected or WireCode.SimultaneousDial => MeshError.AlreadyConnected,
        WireCode.DuplicateIdentity => MeshError.DuplicateIdentity,
        WireCode.ConnectionToSelf => MeshError.ConnectionToSelf,
        WireCode.TooManyConnections or WireCode.Trimmed => MeshError.TooManyConnections,
        WireCode.LinkUnknown or WireCode.ReverseCheckFailed or WireCode.CheckedRecently => MeshError.ReverseCheckFailed,
        WireCode.HandshakeTimeout => MeshError.Timeout,
        WireCode.WrongPeer => MeshError.WrongPeer,
        WireCode.ProtocolViolation or WireCode.UnknownStreamType => MeshError.ProtocolViolation,
        WireCode.TooLarge => MeshError.TooLarge,
        WireCode.NoHandler => MeshError.NoHandler,
        WireCode.Busy => MeshError.Busy,
        WireCode.HandlerFailed => MeshError.HandlerFailed,
        WireCode.Cancelled => MeshError.Aborted,
        WireCode.CertificateRefused => MeshError.CertificateRefused,
        WireCode.SuccessionConflict => MeshError.SuccessionConflict,
        WireCode.Blocked => MeshError.Blocked,
        WireCode.RateLimited => MeshError.RateLimited,
        WireCode.DeadlineExceeded => MeshError.DeadlineExceeded,
        _ => MeshError.ClosedByPeer,
    };

    /// <summary>The code that tells a peer of a refusal by the dispatcher.</summary>
    public static WireCode ToWireCode(this MeshError error) => error switch
    {
        MeshError.NoHandler => WireCode.NoHandler,
        MeshError.Busy => WireCode.Busy,
        MeshError.TooLarge => WireCode.TooLarge,
        MeshError.DeadlineExceeded => WireCode.DeadlineExceeded,
        _ => WireCode.HandlerFailed,
    };
}
