using EventMesh.Events;
using EventMesh.Identity;
using EventMesh.Projections;
using EventMesh.Trust;

namespace EventMesh.Journal.Internal;

/// <summary>Which peers the log knows, and which events make it know one. Pure.</summary>
internal static class NewPeers
{
    /// <summary>
    /// Whether the log knows a peer: its key was accepted before, it is joined, connected or cached, or an event of the trust ledger names it. What the node's own limits have
    /// blocked does not count: who breaks the rules must not be better off than who does not.
    /// </summary>
    public static bool IsKnown(MeshState state, PeerId peer)
    {
        if (state.Node.KnownKeys.Contains(peer) || state.Peers.Joined.ContainsKey(peer) || state.Cache.Entries.ContainsKey(peer))
            return true;
        // A change of its key is in the log: it is the peer that it was.
        if (state.Keys.Successors.ContainsKey(peer) || state.Keys.Predecessors.ContainsKey(peer))
            return true;
        if (state.IsTrusted(peer) || state.IsPinned(peer) || state.IsRevoked(peer))
            return true;
        if (state.Trust.BlockedPeers.TryGetValue(peer, out TrustBlock? block) && !block.IsAutomatic)
            return true;
        // Who is connected has a known key, as long as all keys are remembered.
        return state.Node.KnownKeys.Count >= NodeState.MaxKnownKeys && state.Connections.Open.Values.Any(open => open.Peer == peer);
    }

    /// <summary>
    /// The peers that an event makes known, so that what the log has not said of them has to come before it: all that it names, unless strangers can bring it
    /// about as they like.
    /// </summary>
    public static IReadOnlyList<PeerId> MadeKnownBy(IMeshEvent data) => data switch
    {
        DialFailed or PinMismatch or SuccessionDisputed or PeerErased => [],
        PeerBlocked { By: TrustAuthor.Limits } or Unblocked { By: TrustAuthor.Limits } => [],
        // Whether it does depends on its predecessor.
        KeySucceeded => [],
        _ => EventSubjects.Of(data),
    };

    /// <summary>Whether an event decides about a peer, and so about all its keys.</summary>
    public static bool IsDecision(IMeshEvent data) =>
        data is PeerPinned or PeerUnpinned or PeerTrusted or PeerBlocked or Unblocked or CertificateRevoked or SuccessionDecided;

    /// <summary>Whether we have dialled a peer by our own choice when it is accepted for the first time.</summary>
    public static bool IsChosen(PeerId peer, ReadOnlySpan<IMeshEvent> unit)
    {
        foreach (IMeshEvent data in unit)
        {
            if (data is PeerDiscovered discovered && discovered.Peer == peer)
                return true;
        }
        return false;
    }

    /// <summary>The key that a change of a key leads to by way of the other changes in one unit: that of the peer which told of them.</summary>
    public static PeerId BearerOf(KeySucceeded change, ReadOnlySpan<IMeshEvent> unit)
    {
        PeerId bearer = change.Successor;
        foreach (IMeshEvent data in unit)
        {
            if (data is KeySucceeded next && next.Predecessor == bearer)
                bearer = next.Successor;
        }
        return bearer;
    }

    /// <summary>Whether a change of a key can't be entered any more: somebody else's came before it while it was held back.</summary>
    public static bool IsOutdated(MeshState state, IMeshEvent data) =>
        data is KeySucceeded e && (!state.Keys.MayLink(e.Predecessor, e.Successor) || !state.Keys.ClaimantsOf(e.Predecessor).IsEmpty);
}
