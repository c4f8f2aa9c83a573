namespace EventMesh.Host.Bench;

/// <summary>What one run of <see cref="JournalBenchmark"/> measured, on a private PostgreSQL with <c>synchronous_commit</c> on.</summary>
internal sealed record JournalBenchmarkResult
{
    /// <value>Recorded until committed, per second.</value>
    public required double EventsPerSecond { get; init; }

    /// <value>The same rows into a table of the same columns and indexes: multi-row INSERT, batches of the same size.</value>
    public required double RawInsertRowsPerSecond { get; init; }

    /// <value><see cref="EventsPerSecond"/> to <see cref="RawInsertRowsPerSecond"/>.</value>
    public required double RatioToRawInsert { get; init; }

    /// <value>Recorded until all projections have folded it, per second.</value>
    public required double FoldedEventsPerSecond { get; init; }

    /// <value>What a call of <c>Record</c> took, 99th percentile, microseconds.</value>
    public required double RecordMicrosecondsP99 { get; init; }

    /// <value>From recording to a row in the async projection, median, milliseconds.</value>
    public required double VisibleMillisecondsP50 { get; init; }

    /// <value>The slowest projection's rebuild, events that it folds per second.</value>
    public required double RebuildEventsPerSecond { get; init; }

    /// <value>The slowest projection's rebuild, events of the log per second, of which it folds a part.</value>
    public required double RebuildLogEventsPerSecond { get; init; }

    /// <value>Events per second into the spool, synced, in batches.</value>
    public required double SpoolEventsPerSecond { get; init; }

    /// <value>Table and indexes of the log, bytes per event.</value>
    public required double BytesPerEvent { get; init; }

    /// <value>From the start of <c>mesh run</c> on an existing directory to its first joined peer, median, milliseconds.</value>
    public required double StartMilliseconds { get; init; }

    /// <value>The same with the long log; null when it was skipped.</value>
    public required double? StartLongLogMilliseconds { get; init; }

    /// <value>Until a private server on an existing directory takes connections, median, milliseconds.</value>
    public required double PrivateServerMilliseconds { get; init; }

    /// <value>The same on a new directory, once.</value>
    public required double PrivateServerNewMilliseconds { get; init; }
}
