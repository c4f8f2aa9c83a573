namespace EventMesh.Transport;

/// <summary>Why a connection ended.</summary>
/// <param name="Error">
/// <see cref="MeshError.Aborted"/> for our own close, <see cref="MeshError.ClosedByPeer"/> for the peer's,
/// <see cref="MeshError.IdleTimeout"/>, <see cref="MeshError.CertificateRefused"/>, <see cref="MeshError.ConnectionLost"/> (reset,
/// broken by the network) or <see cref="MeshError.ProtocolViolation"/> (of QUIC itself).
/// </param>
/// <param name="ApplicationCode">The application code of our close or the peer's; null when the transport ended it.</param>
/// <param name="Detail">For people.</param>
public sealed record TransportCloseInfo(MeshError Error, ulong? ApplicationCode, string Detail);
