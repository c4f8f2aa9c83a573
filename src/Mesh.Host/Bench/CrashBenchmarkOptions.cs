namespace EventMesh.Host.Bench;

/// <summary>The amounts of work of <see cref="CrashBenchmark"/>.</summary>
internal sealed record CrashBenchmarkOptions
{
    /// <value>Points at which the node, the server or both are killed. Defaults to 200.</value>
    public int Points { get; init; } = 200;

    /// <value>The seed of kinds and times; how the machine schedules them is not repeated.</value>
    public int Seed { get; init; } = 20261123;

    /// <value>The longest load before a kill. Defaults to 600 ms.</value>
    public TimeSpan MaxLoad { get; init; } = TimeSpan.FromMilliseconds(600);

    /// <value>After so many kills of the node, and at the end, the log is folded whole and the projections are rebuilt. Defaults to 25.</value>
    public int RebuildEvery { get; init; } = 25;
}
