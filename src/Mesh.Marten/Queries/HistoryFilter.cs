namespace EventMesh.Marten.Queries;

/// <summary>Which peers or cache entries of a node to read, and as of when.</summary>
public sealed record HistoryFilter
{
    /// <value>As of when. Defaults to null: as the projection is now.</value>
    public DateTimeOffset? At { get; init; }

    /// <value>Only peers whose identity begins so, in lower case. Defaults to null: all.</value>
    public string? PeerPrefix { get; init; }

    /// <value>Peers by the time they joined, entries by the time of the last connection: the oldest first. Defaults to false: the newest first.</value>
    public bool OldestFirst { get; init; }

    /// <value>The page: <see cref="HistoryPage{T}.Next"/> of the one before, with everything else as it was. Defaults to null: the first page.</value>
    public string? After { get; init; }

    /// <value>Items in a page. Defaults to 100; 1 to 1,000.</value>
    public int Limit { get; init; } = 100;
}
