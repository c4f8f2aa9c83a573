namespace EventMesh.Transport;

/// <summary>When a listener asks a dialer to prove its address with a Retry packet (RFC 9000 8.1.2).</summary>
public enum RetryMode
{
    /// <summary>Always: one round trip more, and nobody is reached through a spoofed source.</summary>
    Always,

    /// <summary>
    /// Above 32 unvalidated handshakes, above 4 of one source prefix (/32, /56), or when our handshake flight exceeds 3,600 bytes.
    /// </summary>
    Auto,

    /// <summary>Never: the limit of three times the bytes received stays (RFC 9000 8.1).</summary>
    Never,
}
