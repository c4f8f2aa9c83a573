namespace EventMesh.Marten.Store.Internal;

/// <summary>The names of the log's tables, qualified; the schema's name was checked when the options were.</summary>
internal sealed record LogTables(string Schema)
{
    /// <summary>The key of a header in Marten's event row: the process that recorded the event.</summary>
    public const string EpochHeader = "epoch";

    /// <summary>The place in the node's log.</summary>
    public const string SeqHeader = "seq";

    /// <summary>The W3C trace context, where there is one.</summary>
    public const string TraceHeader = "trace";

    /// <summary>The event's link of the chain, in base64.</summary>
    public const string HashHeader = "hash";

    /// <summary>The digest of the content that an event was recorded with, where it was erased since; base64.</summary>
    public const string WasHeader = "was";

    /// <summary>By what it was erased: the erasures in order, each with the place of its event and the digest of the content that it left.</summary>
    public const string ErasedHeader = "erased";

    /// <summary>SQL: the place of an event, exactly as it is indexed.</summary>
    public const string Place = "((headers ->> 'seq')::bigint)";

    /// <summary>Marten's events.</summary>
    public string Events => $"{Schema}.mt_events";

    /// <summary>Marten's streams: the version of each.</summary>
    public string Streams => $"{Schema}.mt_streams";

    /// <summary>Marten's sequence of all events.</summary>
    public string Sequence => $"{Schema}.mt_events_sequence";

    /// <summary>The end of each node's log.</summary>
    public string Nodes => $"{Schema}.node_log";

    /// <summary>The months that have left Marten's events.</summary>
    public string Segments => $"{Schema}.log_segment";

    /// <summary>The events of those months.</summary>
    public string Blocks => $"{Schema}.log_block";

    /// <summary>The name of the advisory lock that whoever moves months into blocks holds.</summary>
    public string ArchiveLock => $"{Schema}.segments";

    /// <summary>The channel on which each append is notified.</summary>
    public string Channel => $"{Schema}_log";

    /// <summary>One row: the version of everything in the schema.</summary>
    public string Version => $"{Schema}.schema_version";
}
