namespace EventMesh.Marten.Queries;

/// <summary>Which changes to read.</summary>
public sealed record ChangeFilter
{
    /// <value>Only changes after this time. Defaults to null: from the beginning.</value>
    public DateTimeOffset? From { get; init; }

    /// <value>Only changes up to this time, itself included. Defaults to null: to the end of the log.</value>
    public DateTimeOffset? To { get; init; }

    /// <value>The page: <see cref="HistoryPage{T}.Next"/> of the one before, with everything else as it was. Defaults to null: the first page.</value>
    public string? After { get; init; }

    /// <value>Changes in a page. Defaults to 100; 1 to 1,000.</value>
    public int Limit { get; init; } = 100;
}
