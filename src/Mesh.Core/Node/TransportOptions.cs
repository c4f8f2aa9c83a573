using EventMesh.Transport;

namespace EventMesh.Node;

/// <summary>The QUIC provider and its time limits: section <c>EventMesh:Transport</c>.</summary>
public sealed class TransportOptions
{
    /// <value><c>auto</c> (ngtcp2 where its library loads, else msquic), <c>ngtcp2</c> or <c>msquic</c>. Defaults to <c>auto</c>.</value>
    public string Provider { get; set; } = "auto";

    /// <value>When dialers must prove their address (RFC 9000 8.1.2). Defaults to <see cref="RetryMode.Always"/>.</value>
    public RetryMode Retry { get; set; } = RetryMode.Always;

    /// <value>How long a silent connection lives. Defaults to 30 s; 1 s to 10 min.</value>
    public TimeSpan IdleTimeout { get; set; } = TimeSpan.FromSeconds(30);

    /// <value>How often a silent connection is pinged; zero for never. Defaults to 10 s.</value>
    public TimeSpan KeepAliveInterval { get; set; } = TimeSpan.FromSeconds(10);

    /// <value>How long a handshake, TLS and <c>Hello</c> each, may take. Defaults to 10 s; 100 ms to 1 min.</value>
    public TimeSpan HandshakeTimeout { get; set; } = TimeSpan.FromSeconds(10);
}
