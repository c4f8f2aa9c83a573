namespace EventMesh.Host.Bench;

/// <summary>What <see cref="OutageBenchmark"/> measured. It ends with a failure when an event is missing, so that is never among the figures.</summary>
internal sealed record OutageBenchmarkResult
{
    /// <value>How PostgreSQL was taken away: <c>shutdown</c> or <c>stopped</c>.</value>
    public required string By { get; init; }

    /// <value>For how long, in seconds.</value>
    public required double OutageSeconds { get; init; }

    /// <value>Events recorded in a second.</value>
    public required double EventsPerSecond { get; init; }

    /// <value>Round trips of 256 bytes to a peer while PostgreSQL was there, 99th percentile in microseconds.</value>
    public required double RoundTripMicrosecondsP99Before { get; init; }

    /// <value>The same while it was away.</value>
    public required double RoundTripMicrosecondsP99During { get; init; }

    /// <value>The same while the spool drained.</value>
    public required double RoundTripMicrosecondsP99Draining { get; init; }

    /// <value>During by before; the goal is 1.5.</value>
    public double Ratio => Math.Round(RoundTripMicrosecondsP99During / RoundTripMicrosecondsP99Before, 2);

    /// <value>Events in the spool when PostgreSQL came back.</value>
    public required long Spooled { get; init; }

    /// <value>From then until the spool was empty, with events coming all the time, in seconds.</value>
    public required double DrainSeconds { get; init; }

    /// <value>Events in the log at the end: all that were recorded.</value>
    public required long Events { get; init; }
}
