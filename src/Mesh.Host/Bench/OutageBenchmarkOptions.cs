namespace EventMesh.Host.Bench;

/// <summary>The amounts of work of <see cref="OutageBenchmark"/>.</summary>
internal sealed record OutageBenchmarkOptions
{
    /// <value>How long PostgreSQL is away. Defaults to 60 s.</value>
    public TimeSpan Outage { get; init; } = TimeSpan.FromSeconds(60);

    /// <value>How long round trips are measured before it. Defaults to 20 s.</value>
    public TimeSpan Before { get; init; } = TimeSpan.FromSeconds(20);

    /// <value>Events recorded in a second, all the time. Defaults to 2,000.</value>
    public int Rate { get; init; } = 2_000;

    /// <value>Whether PostgreSQL is shut down and started again; else its processes are stopped by SIGSTOP, so that it neither answers nor refuses.</value>
    public bool IsShutdown { get; init; }
}
