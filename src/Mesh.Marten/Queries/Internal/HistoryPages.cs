using EventMesh.Identity;

namespace EventMesh.Marten.Queries.Internal;

/// <summary>Filters, sorts and cuts an answer that is in memory. Pure.</summary>
internal static class HistoryPages
{
    /// <summary>The page after a cursor.</summary>
    /// <param name="all">All items at the place, in any order.</param>
    /// <param name="key">By what items are sorted, and whose they are.</param>
    /// <param name="filter">What to keep, in which order, and how many.</param>
    /// <param name="query">What the cursor belongs to.</param>
    /// <param name="asOf">What the answer stands on.</param>
    /// <param name="cursor">The last item before the page; null for the first page.</param>
    public static HistoryPage<T> Cut<T>(
        IEnumerable<T> all, Func<T, (DateTimeOffset At, PeerId Peer)> key, HistoryFilter filter, string query, HistoryPoint asOf, PageCursor? cursor)
    {
        int direction = filter.OldestFirst ? 1 : -1;
        List<(long Ticks, string Peer, T Item)> rows =
        [
            .. all.Select(item => (Key: key(item), Item: item)).Select(row => (row.Key.At.UtcTicks, row.Key.Peer.ToString(), row.Item))
                .Where(row => filter.PeerPrefix is not { } prefix || row.Item2.StartsWith(prefix, StringComparison.Ordinal)),
        ];
        rows.Sort((left, right) => Compare(left.Ticks, left.Peer, right.Ticks, right.Peer));
        int start = cursor is { } last ? rows.FindIndex(row => Compare(row.Ticks, row.Peer, last.Key, last.Id) > 0) : 0;
        if (start < 0)
            return new([], asOf, null);
        List<(long Ticks, string Peer, T Item)> page = rows.GetRange(start, Math.Min(filter.Limit, rows.Count - start));
        string? next = start + page.Count < rows.Count ? new PageCursor(asOf.Seq, asOf.FoldedSeq, page[^1].Ticks, page[^1].Peer).Write(query) : null;
        return new([.. page.Select(row => row.Item)], asOf, next);

        int Compare(long leftTicks, string leftPeer, long rightTicks, string rightPeer)
        {
            int order = leftTicks.CompareTo(rightTicks) * direction;
            return order != 0 ? order : string.CompareOrdinal(leftPeer, rightPeer);
        }
    }
}
