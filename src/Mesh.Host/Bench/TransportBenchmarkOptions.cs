namespace EventMesh.Host.Bench;

/// <summary>The amounts of work; the reference program does the same amounts.</summary>
internal sealed record TransportBenchmarkOptions
{
    public static TransportBenchmarkOptions Default { get; } = new();

    /// <value>Idle connections whose memory is measured. Defaults to 1,000.</value>
    public int IdleConnections { get; init; } = 1000;

    /// <value>Handshakes one after another. Defaults to 2,000.</value>
    public int SequentialHandshakes { get; init; } = 2000;

    /// <value>Handshakes 16 at once. Defaults to 6,000.</value>
    public int ConcurrentHandshakes { get; init; } = 6000;

    /// <value>Bytes over one stream. Defaults to 1 GiB.</value>
    public long BulkBytes { get; init; } = 1L << 30;

    /// <value>Messages. Defaults to 400,000.</value>
    public int Messages { get; init; } = 400_000;

    /// <value>Round trips. Defaults to 20,000.</value>
    public int RoundTrips { get; init; } = 20_000;

    /// <value>How long connections settle before memory is read. Defaults to 1 s.</value>
    public TimeSpan Settling { get; init; } = TimeSpan.FromSeconds(1);
}
