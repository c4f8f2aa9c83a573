using System.Collections.Immutable;
using EventMesh.Events;
using EventMesh.Identity;

namespace EventMesh.Projections;

/// <summary>
/// Which identities are one peer over time: a fold of the <c>trust</c> events about changes of keys. What was decided on one identity of a
/// peer holds for <see cref="ChainOf"/> all of them.
/// </summary>
/// <param name="Successors">The identity that followed, by the one before it.</param>
/// <param name="Predecessors">The identity before, by the one that followed it.</param>
/// <param name="Disputes">The claimants by the key that they all claim to follow, while no operator has decided.</param>
/// <param name="Rejected">The claimants that an operator decided against.</param>
public sealed record KeySuccessionState(
    ImmutableDictionary<PeerId, PeerId> Successors, ImmutableDictionary<PeerId, PeerId> Predecessors,
    ImmutableDictionary<PeerId, ImmutableSortedSet<PeerId>> Disputes, ImmutableHashSet<PeerId> Rejected)
{
    /// <summary>How many changes of keys are remembered in memory: 4,096.</summary>
    public const int MaxLinks = 4096;

    /// <summary>How many claimants of one key are told apart: 4.</summary>
    public const int MaxClaimants = 4;

    /// <summary>Nobody has changed a key.</summary>
    public static KeySuccessionState Empty { get; } = new(
        ImmutableDictionary<PeerId, PeerId>.Empty, ImmutableDictionary<PeerId, PeerId>.Empty,
        ImmutableDictionary<PeerId, ImmutableSortedSet<PeerId>>.Empty, []);

    /// <summary>All identities of a peer, the oldest first; at least the one given.</summary>
    public IReadOnlyList<PeerId> ChainOf(PeerId peer)
    {
        LinkedList<PeerId> chain = [];
        chain.AddLast(peer);
        // Each link is entered once and never closes a circle; the count is a backstop.
        while (chain.Count <= MaxLinks && Predecessors.TryGetValue(chain.First!.Value, out PeerId before)) chain.AddFirst(before);
        while (chain.Count <= MaxLinks && Successors.TryGetValue(chain.Last!.Value, out PeerId after)) chain.AddLast(after);
        return [.. chain];
    }

    /// <summary>The first identity that is known of a peer: one and the same for all identities of its chain.</summary>
    public PeerId OldestOf(PeerId peer)
    {
        for (int i = 0; i <= MaxLinks && Predecessors.TryGetValue(peer, out PeerId before); i++) peer = before;
        return peer;
    }

    /// <summary>The identity that a peer has now.</summary>
    public PeerId NewestOf(PeerId peer)
    {
        for (int i = 0; i <= MaxLinks && Successors.TryGetValue(peer, out PeerId after); i++) peer = after;
        return peer;
    }

    /// <summary>Whether two identities belong to one peer.</summary>
    public bool AreSame(PeerId one, PeerId other) => one == other || OldestOf(one) == OldestOf(other);

    /// <summary>The disputed key that an identity claims to follow, itself or by its predecessors; null when nobody disputes it.</summary>
    public PeerId? DisputeOf(PeerId peer)
    {
        if (Disputes.IsEmpty) return null;
        HashSet<PeerId> chain = [.. ChainOf(peer)];
        foreach ((PeerId key, ImmutableSortedSet<PeerId> claimants) in Disputes)
        {
            // The key itself has changed hands in any case, those before it are its own past.
            if (claimants.Any(chain.Contains)) return key;
        }
        return null;
    }

    /// <summary>Whether an operator decided against an identity, or against one that it follows.</summary>
    public bool IsRejected(PeerId peer)
    {
        if (Rejected.IsEmpty) return false;
        for (int i = 0; i <= MaxLinks; i++)
        {
            if (Rejected.Contains(peer)) return true;
            if (!Predecessors.TryGetValue(peer, out peer)) return false;
        }
        return false;
    }

    /// <summary>The state after one more event. Pure.</summary>
    public static KeySuccessionState Apply(KeySuccessionState state, RecordedEvent recorded)
    {
        ArgumentNullException.ThrowIfNull(state);
        ArgumentNullException.ThrowIfNull(recorded);
        return recorded.Data switch
        {
            KeySucceeded e when state.MayLink(e.Predecessor, e.Successor) => state with
            {
                Successors = state.Successors.Add(e.Predecessor, e.Successor),
                Predecessors = state.Predecessors.Add(e.Successor, e.Predecessor),
            },
            SuccessionDisputed e => state with
            {
                Disputes = state.Disputes.SetItem(e.Predecessor, state.ClaimantsOf(e.Predecessor).Add(e.Known).Add(e.Claimed)),
            },
            SuccessionDecided e => state.Decide(e.Predecessor, e.Successor),
            _ => state,
        };
    }

    /// <summary>Whether a change of a key can be entered: each key has one successor and one predecessor, no circles, and there is room.</summary>
    public bool MayLink(PeerId predecessor, PeerId successor) =>
        Successors.Count < MaxLinks && !Successors.ContainsKey(predecessor) && !Predecessors.ContainsKey(successor) && OldestOf(predecessor) != successor
        && predecessor != successor;

    /// <summary>The claimants of a key so far; empty while nobody disputes it.</summary>
    public ImmutableSortedSet<PeerId> ClaimantsOf(PeerId key) => Disputes.GetValueOrDefault(key, []);

    private KeySuccessionState Decide(PeerId key, PeerId? successor)
    {
        ImmutableSortedSet<PeerId> losers = ClaimantsOf(key);
        KeySuccessionState next = this;
        if (Successors.TryGetValue(key, out PeerId known))
        {
            losers = losers.Add(known);
            next = next with { Successors = Successors.Remove(key), Predecessors = Predecessors.Remove(known) };
        }
        if (successor is { } winner)
        {
            losers = losers.Remove(winner);
            if (next.MayLink(key, winner))
                next = next with { Successors = next.Successors.Add(key, winner), Predecessors = next.Predecessors.Add(winner, key) };
            next = next with { Rejected = next.Rejected.Remove(winner) };
        }
        return next with { Disputes = next.Disputes.Remove(key), Rejected = next.Rejected.Union(losers) };
    }
}
