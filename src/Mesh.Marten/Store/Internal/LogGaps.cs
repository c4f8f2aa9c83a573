namespace EventMesh.Marten.Store.Internal;

/// <summary>Decides which places may be missing from a log: those of months that an event of the log says were dropped.</summary>
internal static class LogGaps
{
    /// <summary>
    /// The first missing place between two neighbours that no dropped month explains; null when all are explained.
    /// </summary>
    /// <param name="before">The place before the gap.</param>
    /// <param name="after">The place after it.</param>
    /// <param name="dropped">The ranges of places out of which months were dropped, in order.</param>
    public static long? FirstUnexplained(long before, long after, IReadOnlyList<(long First, long Last)> dropped)
    {
        long next = before + 1;
        foreach ((long first, long last) in dropped)
        {
            if (next >= after)
                return null;
            if (first <= next && next <= last)
                next = last + 1;
        }
        return next >= after ? null : next;
    }

    /// <summary>
    /// How many of the places after one and up to another may be missing at most: of each dropped month as many as it had events, or as there are places of its range. Where a range is cut
    /// the events of the rest are not known, so a hole as small as them is not found.
    /// </summary>
    /// <param name="after">The place before the first.</param>
    /// <param name="upTo">The last.</param>
    /// <param name="dropped">The dropped months, with how many events each had.</param>
    public static long MostExplained(long after, long upTo, IReadOnlyList<(long First, long Last, long Count)> dropped) =>
        dropped.Sum(month => Math.Min(month.Count, Math.Max(0, Math.Min(month.Last, upTo) - Math.Max(month.First, after + 1) + 1)));
}
