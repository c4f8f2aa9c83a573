namespace EventMesh.Marten.Queries;

/// <summary>A page of an answer from history.</summary>
/// <param name="Items">The items, in the order asked for.</param>
/// <param name="AsOf">What the answer stands on; all pages of one answer stand on the same.</param>
/// <param name="Next">The cursor of the next page, for the same filter; null when this is the last.</param>
public sealed record HistoryPage<T>(IReadOnlyList<T> Items, HistoryPoint AsOf, string? Next);
