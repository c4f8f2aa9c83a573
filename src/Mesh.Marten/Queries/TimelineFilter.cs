namespace EventMesh.Marten.Queries;

/// <summary>Which events of a peer to read.</summary>
public sealed record TimelineFilter
{
    /// <value>Only events from this time on. Defaults to null: from the beginning.</value>
    public DateTimeOffset? From { get; init; }

    /// <value>Only events up to this time, itself included. Defaults to null: to the end of the log.</value>
    public DateTimeOffset? To { get; init; }

    /// <value>Only events with these names on disk, such as <c>peer.joined.v1</c>. Defaults to null: all.</value>
    public IReadOnlyList<string>? Types { get; init; }

    /// <value>The newest first. Defaults to false: in order of place.</value>
    public bool NewestFirst { get; init; }

    /// <value>The page: <see cref="HistoryPage{T}.Next"/> of the one before, with everything else as it was. Defaults to null: the first page.</value>
    public string? After { get; init; }

    /// <value>Events in a page. Defaults to 100; 1 to 1,000.</value>
    public int Limit { get; init; } = 100;
}
