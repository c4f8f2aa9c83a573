using System.Net;

namespace EventMesh.Transport;

/// <summary>A bound UDP socket that dials and, when its options say so, listens.</summary>
/// <remarks>
/// Calling contract:
/// <list type="bullet">
/// <item>All members may be called concurrently.</item>
/// <item><see cref="AcceptAsync"/> returns connections whose TLS handshake has ended and whose certificate
/// <see cref="TransportEndpointOptions.VerifyPeer"/> has accepted, in no particular order. A peer that fails either is not
/// seen here. Cancelling it is transient: the next call works.</item>
/// <item><see cref="ConnectAsync"/> may succeed before the remote side has judged our certificate (TLS 1.3): a refusal then
/// shows as <see cref="ITransportConnection.Closed"/>. Cancelling it aborts that dial only.</item>
/// <item>Disposing aborts all connections of the endpoint with application code 0 and frees the port before it returns.</item>
/// </list>
/// </remarks>
public interface ITransportEndpoint : IAsyncDisposable
{
    /// <summary>The bound address and port.</summary>
    IPEndPoint LocalEndPoint { get; }

    /// <summary>The provider that made this endpoint.</summary>
    ITransport Transport { get; }

    /// <summary>Waits for the next inbound connection.</summary>
    /// <remarks>
    /// The task fails with <see cref="ObjectDisposedException"/> once the endpoint is disposed. At most
    /// <see cref="TransportEndpointOptions.AcceptBacklog"/> connections wait here; what comes beyond is closed with CONNECTION_REFUSED
    /// (RFC 9000 20.1).
    /// </remarks>
    /// <exception cref="InvalidOperationException">The endpoint does not listen.</exception>
    Task<ITransportConnection> AcceptAsync(CancellationToken cancellationToken);

    /// <summary>Dials.</summary>
    /// <param name="remote">The address; IPv4 and IPv4-mapped IPv6 are the same.</param>
    /// <param name="cancellationToken">Aborts the dial.</param>
    /// <remarks>
    /// The task fails with <see cref="MeshException"/>: <see cref="MeshError.Unreachable"/> (nobody answered within
    /// <see cref="TransportEndpointOptions.HandshakeTimeout"/>), <see cref="MeshError.CertificateRefused"/> (by either side, when it is
    /// known in time), <see cref="MeshError.ProtocolMismatch"/> (ALPN), <see cref="MeshError.ClosedByPeer"/>.
    /// </remarks>
    Task<ITransportConnection> ConnectAsync(IPEndPoint remote, CancellationToken cancellationToken);
}
