using System.Net;
using EventMesh.Events;
using EventMesh.Identity;

namespace EventMesh.Projections;

/// <summary>
/// One decision on trust. At any time at most one decision of a kind is in force for a subject; what ends one is said by <see cref="TrustState"/>, of which
/// this is the form with history.
/// </summary>
/// <param name="Kind">What it does.</param>
/// <param name="Subject">
/// What it was decided on: a peer, a contact (<c>host:port</c>), a range of addresses, or a certificate's fingerprint. For a succession and a dispute the
/// key that is followed.
/// </param>
/// <param name="Peer">The pinned peer, the successor, or the latest claimant; null for other kinds, and when no claimant is the successor.</param>
/// <param name="Reason">Why, for people; null where none is given.</param>
/// <param name="By">Who decided it; null for a succession that both keys have signed, and for a dispute.</param>
/// <param name="At">Since when.</param>
/// <param name="Until">When it ends by itself; null for never.</param>
public sealed record TrustLedgerEntry(
    TrustLedgerKind Kind, string Subject, PeerId? Peer, string? Reason, string? By, DateTimeOffset At, DateTimeOffset? Until)
{
    /// <summary>Whether it is done once and then over, so that it is in force at no time.</summary>
    public bool IsAct => Kind is TrustLedgerKind.Unpin or TrustLedgerKind.Unblock;

    /// <summary>The kinds and subjects whose decision an event may make, change or end; the event's own decision is the first.</summary>
    public static IReadOnlyList<(TrustLedgerKind Kind, string Subject)> ConcernedBy(IMeshEvent data) => data switch
    {
        PeerPinned e => [(TrustLedgerKind.Pin, e.Contact)],
        PeerUnpinned e => [(TrustLedgerKind.Unpin, e.Contact), (TrustLedgerKind.Pin, e.Contact)],
        PeerTrusted e => [(TrustLedgerKind.Trust, e.Peer.ToString())],
        PeerBlocked e => [(TrustLedgerKind.Block, e.Peer.ToString()), (TrustLedgerKind.Trust, e.Peer.ToString())],
        PrefixBlocked e => [(TrustLedgerKind.PrefixBlock, e.Prefix.ToString())],
        Unblocked { Peer: { } peer } => [(TrustLedgerKind.Unblock, peer.ToString()), (TrustLedgerKind.Block, peer.ToString())],
        Unblocked { Prefix: { } prefix } => [(TrustLedgerKind.Unblock, prefix.ToString()), (TrustLedgerKind.PrefixBlock, prefix.ToString())],
        CertificateRevoked { Key: { } key } => [(TrustLedgerKind.Revocation, key.ToString()), (TrustLedgerKind.Trust, key.ToString())],
        CertificateRevoked { Fingerprint: { } fingerprint } => [(TrustLedgerKind.Revocation, fingerprint)],
        KeySucceeded e => [(TrustLedgerKind.Succession, e.Predecessor.ToString())],
        SuccessionDisputed e => [(TrustLedgerKind.Dispute, e.Predecessor.ToString())],
        SuccessionDecided e => [(TrustLedgerKind.Succession, e.Predecessor.ToString()), (TrustLedgerKind.Dispute, e.Predecessor.ToString())],
        _ => [],
    };

    /// <summary>The decision of a kind on a subject after an event that concerns it. Pure.</summary>
    /// <param name="kind">The kind.</param>
    /// <param name="subject">The subject.</param>
    /// <param name="before">The decision until then; null for none.</param>
    /// <param name="recorded">The event.</param>
    /// <returns><paramref name="before"/> itself when nothing changes; null when no decision is in force any more.</returns>
    public static TrustLedgerEntry? Apply(TrustLedgerKind kind, string subject, TrustLedgerEntry? before, RecordedEvent recorded)
    {
        ArgumentNullException.ThrowIfNull(recorded);
        TrustLedgerEntry? after = kind switch
        {
            TrustLedgerKind.Unpin or TrustLedgerKind.Unblock => Act(kind, subject, recorded),
            TrustLedgerKind.Succession => Succession(subject, before, recorded),
            TrustLedgerKind.Dispute => Dispute(subject, before, recorded),
            _ => In(kind, subject, TrustState.Apply(StateWith(before), recorded)),
        };
        return after == before ? before : after;
    }

    /// <summary>All decisions that a state of the ledger holds.</summary>
    public static IEnumerable<TrustLedgerEntry> AllIn(TrustState state)
    {
        ArgumentNullException.ThrowIfNull(state);
        IEnumerable<(TrustLedgerKind Kind, string Subject)> subjects =
        [
            .. state.Pins.Keys.Select(contact => (TrustLedgerKind.Pin, contact)),
            .. state.Trusted.Keys.Select(peer => (TrustLedgerKind.Trust, peer.ToString())),
            .. state.BlockedPeers.Keys.Select(peer => (TrustLedgerKind.Block, peer.ToString())),
            .. state.BlockedPrefixes.Keys.Select(prefix => (TrustLedgerKind.PrefixBlock, prefix.ToString())),
            .. state.RevokedKeys.Keys.Select(key => (TrustLedgerKind.Revocation, key.ToString())),
            .. state.RevokedCertificates.Keys.Select(fingerprint => (TrustLedgerKind.Revocation, fingerprint)),
        ];
        return subjects.Select(at => In(at.Kind, at.Subject, state)!);
    }

    /// <summary>A state of the ledger that knows of nothing but one decision.</summary>
    private static TrustState StateWith(TrustLedgerEntry? entry)
    {
        TrustState empty = TrustState.Empty;
        if (entry is null)
            return empty;
        var decision = new TrustDecision(entry.Reason ?? "", entry.At, entry.By ?? "");
        var block = new TrustBlock(entry.Reason ?? "", entry.At, entry.Until, entry.By ?? "");
        return entry.Kind switch
        {
            TrustLedgerKind.Pin => empty with
            {
                Pins = empty.Pins.Add(entry.Subject, new(entry.Subject, entry.Peer!.Value, PinOrigin.ByHand, entry.At, entry.By ?? "", null, null)),
            },
            TrustLedgerKind.Trust => empty with { Trusted = empty.Trusted.Add(PeerId.Parse(entry.Subject), decision) },
            TrustLedgerKind.Block => empty with { BlockedPeers = empty.BlockedPeers.Add(PeerId.Parse(entry.Subject), block) },
            TrustLedgerKind.PrefixBlock => empty with { BlockedPrefixes = empty.BlockedPrefixes.Add(IPNetwork.Parse(entry.Subject), block) },
            TrustLedgerKind.Revocation when PeerId.TryParse(entry.Subject, out PeerId key) => empty with { RevokedKeys = empty.RevokedKeys.Add(key, decision) },
            TrustLedgerKind.Revocation => empty with { RevokedCertificates = empty.RevokedCertificates.Add(entry.Subject, decision) },
            _ => empty,
        };
    }

    private static TrustLedgerEntry? In(TrustLedgerKind kind, string subject, TrustState state)
    {
        switch (kind)
        {
            case TrustLedgerKind.Pin when state.Pins.TryGetValue(subject, out TrustPin? pin):
                return new(kind, subject, pin.Peer, null, pin.By, pin.At, null);
            case TrustLedgerKind.Trust when state.Trusted.TryGetValue(PeerId.Parse(subject), out TrustDecision? trusted):
                return Of(trusted);
            case TrustLedgerKind.Block when state.BlockedPeers.TryGetValue(PeerId.Parse(subject), out TrustBlock? block):
                return Blocked(block);
            case TrustLedgerKind.PrefixBlock when state.BlockedPrefixes.TryGetValue(IPNetwork.Parse(subject), out TrustBlock? block):
                return Blocked(block);
            case TrustLedgerKind.Revocation when state.RevokedCertificates.TryGetValue(subject, out TrustDecision? certificate):
                return Of(certificate);
            case TrustLedgerKind.Revocation when PeerId.TryParse(subject, out PeerId key) && state.RevokedKeys.TryGetValue(key, out TrustDecision? revoked):
                return Of(revoked);
            default:
                return null;
        }

        TrustLedgerEntry Of(TrustDecision decision) => new(kind, subject, null, decision.Reason, decision.By, decision.At, null);

        TrustLedgerEntry Blocked(TrustBlock block) => new(kind, subject, null, block.Reason, block.By, block.At, block.Until);
    }

    private static TrustLedgerEntry? Act(TrustLedgerKind kind, string subject, RecordedEvent recorded) => recorded.Data switch
    {
        PeerUnpinned e => new(kind, subject, e.Peer, e.Reason, e.By, recorded.Time, null),
        Unblocked e => new(kind, subject, null, e.Reason, e.By, recorded.Time, null),
        _ => null,
    };

    // The journal records a proof only where it may be entered: a key has one successor until an operator decides.
    private static TrustLedgerEntry? Succession(string subject, TrustLedgerEntry? before, RecordedEvent recorded) => recorded.Data switch
    {
        KeySucceeded e when before is null => new(TrustLedgerKind.Succession, subject, e.Successor, null, null, recorded.Time, null),
        SuccessionDecided e => new(TrustLedgerKind.Succession, subject, e.Successor, null, e.By, recorded.Time, null),
        _ => before,
    };

    private static TrustLedgerEntry? Dispute(string subject, TrustLedgerEntry? before, RecordedEvent recorded) => recorded.Data switch
    {
        SuccessionDisputed e => new(TrustLedgerKind.Dispute, subject, e.Claimed, null, null, recorded.Time, null),
        SuccessionDecided => null,
        _ => before,
    };
}
