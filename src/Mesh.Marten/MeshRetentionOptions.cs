namespace EventMesh.Marten;

/// <summary>How long the log keeps what: section <c>EventMesh:Retention</c>. Ages count from the end of a month, UTC.</summary>
public sealed class MeshRetentionOptions
{
    /// <summary>The configuration section.</summary>
    public const string SectionName = "EventMesh:Retention";

    /// <value>
    /// How old a month of the streams <c>peers</c> and <c>cache</c> is when it leaves the table of events for compressed blocks, which all views and reads show as
    /// before. Defaults to 60 days; at least 1 day; null for never.
    /// </value>
    public TimeSpan? CompressAfter { get; set; } = TimeSpan.FromDays(60);

    /// <value>
    /// How old a month of the stream <c>peers</c> (connections and refusals) is when it is removed for good. Defaults to null, never; longer than
    /// <see cref="CompressAfter"/>. Events of trust, of the node and of the cache are kept.
    /// </value>
    public TimeSpan? DropConnectionsAfter { get; set; }
}
