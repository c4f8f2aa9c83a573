using EventMesh.Identity;

namespace EventMesh.Bootstrap.Internal;

/// <summary>Which peers go when there are too many.</summary>
internal static class TrimDecisions
{
    /// <summary>The longest-lived peers are never trimmed: whoever wants to take a node's place among them has to stay for as long.</summary>
    public const int LongestLived = 8;

    /// <summary>
    /// Above the high watermark: as many as bring the node down to the low one, those first that dialled us, then those with the fewest messages, of
    /// equals the youngest. Never a protected peer, one in its time of grace, or one of the 8 longest-lived.
    /// </summary>
    public static IReadOnlyList<PeerId> Choose(IReadOnlyCollection<TrimCandidate> joined, int high, int low, TimeSpan grace, DateTimeOffset now)
    {
        if (joined.Count <= high) return [];
        HashSet<PeerId> longestLived = [.. joined.OrderBy(peer => peer.JoinedAt).ThenBy(peer => peer.Peer).Take(LongestLived).Select(peer => peer.Peer)];
        return
        [
            .. joined.Where(peer => !peer.IsProtected && now - peer.JoinedAt >= grace && !longestLived.Contains(peer.Peer))
                .OrderByDescending(peer => peer.IsInbound).ThenBy(peer => peer.RecentMessages).ThenByDescending(peer => peer.JoinedAt)
                .Take(joined.Count - low).Select(peer => peer.Peer),
        ];
    }
}
