namespace EventMesh.Host.Bench;

/// <summary>What one run of <see cref="TransportBenchmark"/> measured, both ends in one process over loopback.</summary>
internal sealed record TransportBenchmarkResult
{
    /// <value>Handshakes per second, 16 at once, with Retry and mutual certificates.</value>
    public required double HandshakesPerSecond { get; init; }

    /// <value>The same, one after another.</value>
    public required double HandshakesPerSecondSequential { get; init; }

    /// <value>10^6 bytes per second over one unidirectional stream.</value>
    public required double BulkMegabytesPerSecond { get; init; }

    /// <value>Messages of 256 bytes per second, each on a stream of its own, 64 under way, each acknowledged.</value>
    public required double MessagesPerSecond { get; init; }

    /// <value>The median of a round trip of 256 bytes on one stream, microseconds.</value>
    public required double RoundTripMicrosecondsP50 { get; init; }

    /// <value>The 99th percentile of the same, microseconds.</value>
    public required double RoundTripMicrosecondsP99 { get; init; }

    /// <value>Resident memory per idle connection, both ends, in units of 1,024 bytes.</value>
    public required double KibibytesPerConnection { get; init; }
}
