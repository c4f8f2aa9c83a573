namespace EventMesh.Host.Bench;

/// <summary>What one run of <see cref="PeersBenchmark"/> measured, beside the transport's own figures of the same run.</summary>
internal sealed record PeersBenchmarkResult
{
    /// <value>Peers that joined per second, 16 at once: dial, both connections, Hello, events recorded by the listener.</value>
    public required double JoinsPerSecond { get; init; }

    /// <value>Messages of 256 bytes per second between two joined nodes, 64 under way, each acknowledged.</value>
    public required double MessagesPerSecond { get; init; }

    /// <value>The median of a request of 256 bytes and its response, microseconds.</value>
    public required double RoundTripMicrosecondsP50 { get; init; }

    /// <value>The 99th percentile of the same, microseconds.</value>
    public required double RoundTripMicrosecondsP99 { get; init; }

    /// <value>Resident memory of the listener for its joined peers, in units of 1,048,576 bytes.</value>
    public required double MebibytesOfPeers { get; init; }

    /// <value>The same per peer, in units of 1,024 bytes.</value>
    public required double KibibytesPerPeer { get; init; }

    /// <value>How many peers joined.</value>
    public required int Peers { get; init; }

    /// <value>The transport's figures of the same run.</value>
    public required TransportBenchmarkResult Transport { get; init; }

    /// <value>Two handshakes for each join, divided by the transport's handshakes.</value>
    public double JoinsRatio => Math.Round(2 * JoinsPerSecond / Transport.HandshakesPerSecond, 3);

    /// <value>Messages, divided by the transport's of the same round; the median of the rounds.</value>
    public required double MessagesRatio { get; init; }

    /// <value>The median round trip, divided by the transport's of the same round; the median of the rounds.</value>
    public required double RoundTripRatio { get; init; }

    /// <value>Bytes that the session layer of both ends allocated per message.</value>
    public required double BytesAllocatedPerMessage { get; init; }

    /// <value>Where the listener's events went.</value>
    public required string Store { get; init; }

    /// <value>The limits that were raised for the run.</value>
    public required string RaisedLimits { get; init; }
}
