using System.Net;
using System.Security.Cryptography.X509Certificates;

namespace EventMesh.Transport;

/// <summary>The settings of one endpoint.</summary>
public sealed record TransportEndpointOptions
{
    /// <value>Where to bind; port 0 lets the system choose.</value>
    public required IPEndPoint LocalEndPoint { get; init; }

    /// <value>Our certificate with its private key, which must be exportable.</value>
    public required X509Certificate2 Certificate { get; init; }

    /// <value>
    /// The authorities between our certificate and the root that peers trust, the issuer of our own first; sent along in the handshake. Defaults to none.
    /// </value>
    public IReadOnlyList<X509Certificate2> Intermediates { get; init; } = [];

    /// <value>
    /// Decides whether to go on with a peer whose key is proven. It runs on the provider's thread, also concurrently: it must return
    /// within microseconds and never block. Slow decisions are the session's. A refusal closes with the TLS alert
    /// <c>bad_certificate</c> or <c>access_denied</c> (RFC 8446 6.2).
    /// </value>
    public required Func<PeerCertificate, bool> VerifyPeer { get; init; }

    /// <value>
    /// Decides whether a source address may connect, before any handshake; IPv4-mapped IPv6 comes as IPv4. It runs on the provider's thread with a
    /// dialer's first packets, whose source may be spoofed: it must return within microseconds, never block, and hold nothing against the address. A
    /// refused dialer's <see cref="ITransportEndpoint.ConnectAsync"/> fails with <see cref="MeshError.ClosedByPeer"/>,
    /// <see cref="MeshError.Unreachable"/> or, where the library answers with a TLS alert, <see cref="MeshError.CertificateRefused"/>; a failing decision is a refusal. Null, the default, admits all.
    /// </value>
    public Func<IPAddress, bool>? AdmitSource { get; init; }

    /// <value>Whether the endpoint accepts connections. Defaults to true.</value>
    public bool Listen { get; init; } = true;

    /// <value>The application protocol (ALPN, RFC 7301). Defaults to <c>eventmesh/1</c>.</value>
    public string ApplicationProtocol { get; init; } = "eventmesh/1";

    /// <value>How long a silent connection lives, in effect the smaller of both sides' values. Defaults to 30 s; 1 s to 10 min.</value>
    public TimeSpan IdleTimeout { get; init; } = TimeSpan.FromSeconds(30);

    /// <value>How often a silent connection is pinged; zero for never. Defaults to 10 s.</value>
    public TimeSpan KeepAliveInterval { get; init; } = TimeSpan.FromSeconds(10);

    /// <value>How long a handshake may take. Defaults to 10 s.</value>
    public TimeSpan HandshakeTimeout { get; init; } = TimeSpan.FromSeconds(10);

    /// <value>Streams that the peer may have open, of each direction. Defaults to 256. Worst-case memory is this times <see cref="StreamWindow"/>, capped by <see cref="ConnectionWindow"/>.</value>
    public int MaxInboundStreams { get; init; } = 256;

    /// <value>Unread bytes that the peer may have sent on one stream. Defaults to 2 MiB.</value>
    public int StreamWindow { get; init; } = 2 * 1024 * 1024;

    /// <value>Unread bytes that the peer may have sent on all streams: the memory a peer can make us hold. Defaults to 16 MiB.</value>
    public int ConnectionWindow { get; init; } = 16 * 1024 * 1024;

    /// <value>Unacknowledged bytes of one stream before a write waits. Defaults to 1 MiB.</value>
    public int SendBuffer { get; init; } = 1024 * 1024;

    /// <value>Connections that wait in <see cref="ITransportEndpoint.AcceptAsync"/>. Defaults to 512.</value>
    public int AcceptBacklog { get; init; } = 512;

    /// <value>When dialers must prove their address. Defaults to <see cref="RetryMode.Always"/>.</value>
    public RetryMode Retry { get; init; } = RetryMode.Always;

    /// <value>
    /// The 32 byte key of stateless resets (RFC 9000 10.3.2), the same over restarts so that peers learn of them at once; null makes one.
    /// </value>
    public ReadOnlyMemory<byte>? StatelessResetKey { get; init; }
}
