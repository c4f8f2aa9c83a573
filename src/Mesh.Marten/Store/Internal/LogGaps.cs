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
}
