namespace EventMesh.Host.Bench;

/// <summary>The amounts of work.</summary>
internal sealed record PeersBenchmarkOptions
{
    /// <value>Peers that join. Defaults to 1,000.</value>
    public int Peers { get; init; } = 1000;

    /// <value>Messages. Defaults to 400,000.</value>
    public int Messages { get; init; } = 400_000;

    /// <value>Round trips. Defaults to 20,000.</value>
    public int RoundTrips { get; init; } = 20_000;

    /// <value>How often messages and round trips are measured, beside the transport's. Defaults to 5.</value>
    public int Rounds { get; init; } = 5;

    /// <value>Whether the listener's events go to a private PostgreSQL. Defaults to true.</value>
    public bool IsStored { get; init; } = true;
}
