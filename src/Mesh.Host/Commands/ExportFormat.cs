namespace EventMesh.Host.Commands;

/// <summary>The forms of an exported log.</summary>
internal enum ExportFormat
{
    /// <summary>JSON lines: a header, then the events as <c>mesh events --output json</c> prints them.</summary>
    Jsonl,

    /// <summary>CloudEvents 1.0, one on a line.</summary>
    CloudEvents,
}
