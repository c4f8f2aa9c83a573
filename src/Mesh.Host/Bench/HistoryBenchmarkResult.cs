namespace EventMesh.Host.Bench;

/// <summary>What <see cref="HistoryBenchmark"/> has measured.</summary>
/// <param name="Events">Events in the log.</param>
/// <param name="ArchivedEvents">Those of them in blocks.</param>
/// <param name="BlockBytesPerEvent">The size of blocks with their indexes, bytes for each event.</param>
/// <param name="HotBytesPerEvent">The size of the table of events with its indexes, bytes for each event.</param>
/// <param name="ProjectionBytesPerEvent">The size of the projections with their indexes, bytes for each event of the log.</param>
/// <param name="GeneratedPerSecond">Events written a second.</param>
/// <param name="ProjectedPerSecond">Events a second by which the slowest projection followed, mostly out of blocks.</param>
/// <param name="FirstStartMilliseconds">Open of store and journal without a local replica: the whole log is folded.</param>
/// <param name="StartMilliseconds">Open of store and journal as at every later start, the median.</param>
/// <param name="Queries">Each query.</param>
internal sealed record HistoryBenchmarkResult(
    long Events, long ArchivedEvents, double BlockBytesPerEvent, double HotBytesPerEvent, double ProjectionBytesPerEvent, double GeneratedPerSecond,
    double ProjectedPerSecond, double FirstStartMilliseconds, double StartMilliseconds, IReadOnlyList<HistoryQueryResult> Queries);

/// <summary>How long a query took, over many times or places of the whole history.</summary>
/// <param name="Query">What is asked.</param>
/// <param name="P50Milliseconds">The median.</param>
/// <param name="P99Milliseconds">The 99th percentile; the goal is 200.</param>
internal sealed record HistoryQueryResult(string Query, double P50Milliseconds, double P99Milliseconds);
