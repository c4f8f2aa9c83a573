namespace EventMesh.Transport;

/// <summary>What a provider can do beyond the contract that all share.</summary>
[Flags]
public enum TransportCapabilities
{
    /// <summary>Nothing more.</summary>
    None = 0,

    /// <summary>Dials leave from the port that the endpoint listens on; without it from a port of their own.</summary>
    DialFromListeningPort = 1,

    /// <summary>A connection survives the change of a peer's address (RFC 9000 9).</summary>
    Migration = 2,

    /// <summary><see cref="TransportStatistics.SmoothedRoundTrip"/> and the loss figures are measured.</summary>
    PathStatistics = 4,

    /// <summary>A restarted process tells peers of its lost connections at once (RFC 9000 10.3).</summary>
    StatelessReset = 8,
}
