using System.Collections.Immutable;
using EventMesh.Events;
using EventMesh.Identity;
using EventMesh.Projections;
using EventMesh.Wire;

namespace EventMesh.Trust.Internal;

/// <summary>Judges the changes of its key that a peer tells of. Pure.</summary>
internal static class SuccessionJudge
{
    /// <summary>
    /// What of a peer's statements is malformed or false, for people; null when they lead to its key without a gap. Signatures that were checked before, and
    /// so are in the log, are not checked again.
    /// </summary>
    public static string? WhyFalse(KeySuccessionState known, PeerId peer, IReadOnlyList<KeySuccession> statements)
    {
        if (statements.Count == 0) return null;
        if (statements.Count > WireLimits.Successions) return "more statements of key succession than allowed";
        for (int i = 1; i < statements.Count; i++)
        {
            if (statements[i].Predecessor != statements[i - 1].Successor || statements[i].Sequence <= statements[i - 1].Sequence)
                return "its statements of key succession are no chain";
        }
        if (statements[^1].Successor != peer) return "its statements of key succession lead to another key";
        if (statements.Select(statement => statement.Successor).Prepend(statements[0].Predecessor).Distinct().Count() != statements.Count + 1)
            return "its statements of key succession lead in a circle";
        bool IsKnown(KeySuccession statement) =>
            known.Successors.TryGetValue(statement.Predecessor, out PeerId successor) && successor == statement.Successor;
        return statements.All(statement => IsKnown(statement) || statement.IsValid()) ? null : "a signature under a statement of key succession is false";
    }

    /// <summary>The verdict on a peer whose statements are true.</summary>
    public static SuccessionVerdict Judge(KeySuccessionState state, PeerId peer, IReadOnlyList<KeySuccession> statements)
    {
        if (state.IsRejected(peer))
            return SuccessionVerdict.Refuse(WireCode.SuccessionConflict, "an operator has decided that this key is not the true successor of the one that it follows");
        if (state.DisputeOf(peer) is { } disputed) return Disputed(disputed);
        List<IMeshEvent> links = [];
        KeySuccessionState next = state;
        foreach (KeySuccession statement in statements)
        {
            ImmutableSortedSet<PeerId> claimants = next.ClaimantsOf(statement.Predecessor);
            bool hasSuccessor = next.Successors.TryGetValue(statement.Predecessor, out PeerId known);
            if (claimants.IsEmpty && hasSuccessor && known == statement.Successor) continue;
            if (hasSuccessor || !claimants.IsEmpty)
            {
                bool isNew = !claimants.Contains(statement.Successor) && claimants.Count < KeySuccessionState.MaxClaimants;
                var dispute = new SuccessionDisputed(statement.Predecessor, hasSuccessor ? known : claimants[0], statement.Successor);
                return Disputed(statement.Predecessor) with { Changes = isNew ? [dispute] : [] };
            }
            if (next.IsRejected(statement.Predecessor) || next.Rejected.Contains(statement.Successor))
                return SuccessionVerdict.Refuse(WireCode.SuccessionConflict, "it follows a key that an operator has decided against");
            if (next.Predecessors.ContainsKey(statement.Successor) || next.OldestOf(statement.Predecessor) == statement.Successor)
                return SuccessionVerdict.Refuse(WireCode.SuccessionConflict, "its key follows another one already: two peers can't become one");
            // Without room the peer is judged by its present key alone.
            if (!next.MayLink(statement.Predecessor, statement.Successor)) break;
            var link = new KeySucceeded(statement.Predecessor, statement.Successor, statement.Sequence, statement.SignedAt);
            links.Add(link);
            next = next with
            {
                Successors = next.Successors.Add(link.Predecessor, link.Successor),
                Predecessors = next.Predecessors.Add(link.Successor, link.Predecessor),
            };
        }
        return state.Successors.TryGetValue(peer, out PeerId successor)
            ? SuccessionVerdict.Refuse(WireCode.CertificateRefused, $"the peer has replaced this key by {successor.ToShortString()}: whoever still has it is not the peer")
            : SuccessionVerdict.Accept(links);
    }

    private static SuccessionVerdict Disputed(PeerId key) => SuccessionVerdict.Refuse(
        WireCode.SuccessionConflict,
        $"more than one key claims to follow {key.ToShortString()}: somebody has a copy of it. Decide with mesh identity resolve");
}
