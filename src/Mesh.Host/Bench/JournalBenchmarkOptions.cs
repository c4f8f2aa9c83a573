namespace EventMesh.Host.Bench;

/// <summary>The amounts of work of <see cref="JournalBenchmark"/>.</summary>
internal sealed record JournalBenchmarkOptions
{
    /// <value>Events recorded as fast as the log takes them. Defaults to 200,000.</value>
    public int Events { get; init; } = 200_000;

    /// <value>How often that is done beside the raw rows, and each projection rebuilt; the median counts. Defaults to 3.</value>
    public int Rounds { get; init; } = 3;

    /// <value>Events in one transaction, ours and raw. Defaults to 512, that of a node.</value>
    public int BatchSize { get; init; } = 512;

    /// <value>Events recorded and not committed at most, so that the queue does not overflow. Defaults to 16,384.</value>
    public int UnderWay { get; init; } = 16_384;

    /// <value>Events recorded one at a time and looked for in the projection. Defaults to 300.</value>
    public int Looks { get; init; } = 300;

    /// <value>Events of the long log whose node is started; 0 skips it. Defaults to 1,000,000.</value>
    public int LongLog { get; init; } = 1_000_000;

    /// <value>Starts of which the median counts. Defaults to 5.</value>
    public int Starts { get; init; } = 5;
}
