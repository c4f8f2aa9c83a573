namespace EventMesh.Host.Bench;

/// <summary>What <see cref="CrashBenchmark"/> found. It ends with a failure when an acknowledged event is missing, moved or doubled, so these are never among the figures.</summary>
internal sealed record CrashBenchmarkResult
{
    /// <value>The seed of kinds and times.</value>
    public required int Seed { get; init; }

    /// <value>Points at which something was killed.</value>
    public required int Points { get; init; }

    /// <value>Points at which only the node was killed.</value>
    public required int NodeKilled { get; init; }

    /// <value>Points at which only the server was killed; the node ran on.</value>
    public required int ServerKilled { get; init; }

    /// <value>Points at which both were killed.</value>
    public required int BothKilled { get; init; }

    /// <value>Events that the nodes told of as acknowledged, each found in the log at its place.</value>
    public required long Acknowledged { get; init; }

    /// <value>Events in the log at the end.</value>
    public required long Events { get; init; }

    /// <value>Connections and joins that a start closed as <c>crash</c>.</value>
    public required long ClosedAsCrash { get; init; }

    /// <value>Points of a killed node at which events were lost that nothing had acknowledged.</value>
    public required int PointsWithLoss { get; init; }

    /// <value>Events that were lost so: recorded, acknowledged by nothing.</value>
    public required long UnacknowledgedLost { get; init; }

    /// <value>How long before the kill the oldest lost event was recorded, in milliseconds: the median over the points with a loss.</value>
    public required double OldestLostMillisecondsP50 { get; init; }

    /// <value>The same, of all points the worst.</value>
    public required double OldestLostMillisecondsMax { get; init; }

    /// <value>How often the whole log was folded, and each projection rebuilt and compared with the live one.</value>
    public required int Rebuilds { get; init; }

    /// <value>How long it took, in seconds.</value>
    public required double Seconds { get; init; }
}
