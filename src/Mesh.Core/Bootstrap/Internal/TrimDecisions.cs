using EventMesh.Identity;

namespace EventMesh.Bootstrap.Internal;

/// <summary>Which peers go when there are too many.</summary>
internal static class TrimDecisions
{
    /// <summary>The longest-lived peers are never trimmed: whoever wants to take a node's place among them has to stay for as long.</summary>
    public const int LongestLived = 8;

    /// <summary>How long a peer that dialled us keeps its place when none is free: long enough to learn of others and dial them.</summary>
    public static readonly TimeSpan ShortGrace = TimeSpan.FromSeconds(5);

    /// <summary>
    /// Whose place a newcomer takes when all places for peers that dial us are taken, so that a full node still lets strangers into the mesh: one
    /// that dialled us, with the fewest messages, of equals the youngest; null when all of them are protected, longest-lived or too new.
    /// </summary>
    public static PeerId? ChooseForNewcomer(IReadOnlyCollection<TrimCandidate> joined, DateTimeOffset now)
    {
        HashSet<PeerId> longestLived = LongestLivedOf(joined);
        return joined.Where(peer => peer is { IsInbound: true, IsProtected: false } && now - peer.JoinedAt >= ShortGrace && !longestLived.Contains(peer.Peer))
            .OrderBy(peer => peer.RecentMessages).ThenByDescending(peer => peer.JoinedAt).Select(peer => (PeerId?)peer.Peer).FirstOrDefault();
    }

    /// <summary>
    /// Above the high watermark: as many as bring the node down to the low one, those first that dialled us, then those with the fewest messages, of
    /// equals the youngest. Never a protected peer, one in its time of grace, or one of the 8 longest-lived.
    /// </summary>
    public static IReadOnlyList<PeerId> Choose(IReadOnlyCollection<TrimCandidate> joined, int high, int low, TimeSpan grace, DateTimeOffset now)
    {
        if (joined.Count <= high) return [];
        HashSet<PeerId> longestLived = LongestLivedOf(joined);
        return
        [
            .. joined.Where(peer => !peer.IsProtected && now - peer.JoinedAt >= grace && !longestLived.Contains(peer.Peer))
                .OrderByDescending(peer => peer.IsInbound).ThenBy(peer => peer.RecentMessages).ThenByDescending(peer => peer.JoinedAt)
                .Take(joined.Count - low).Select(peer => peer.Peer),
        ];
    }

    private static HashSet<PeerId> LongestLivedOf(IReadOnlyCollection<TrimCandidate> joined) =>
        [.. joined.OrderBy(peer => peer.JoinedAt).ThenBy(peer => peer.Peer).Take(LongestLived).Select(peer => peer.Peer)];
}
