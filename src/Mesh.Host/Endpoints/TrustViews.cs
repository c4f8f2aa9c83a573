using EventMesh.Projections;

namespace EventMesh.Host.Endpoints;

// What the control interface answers of the trust ledger. Published: members are added, never changed or taken away within v1.

/// <summary>The ledger as it is in force now.</summary>
internal sealed record TrustView(
    IReadOnlyList<PinView> Pins, IReadOnlyList<TrustedPeerView> Trusted, IReadOnlyList<BlockedPeerView> BlockedPeers,
    IReadOnlyList<BlockedPrefixView> BlockedPrefixes, IReadOnlyList<RevokedKeyView> RevokedKeys, IReadOnlyList<RevokedCertificateView> RevokedCertificates)
{
    public static TrustView From(TrustState state, DateTimeOffset now) => new(
        [.. state.Pins.Values.OrderBy(p => p.Contact, StringComparer.Ordinal).Select(PinView.From)],
        [.. state.Trusted.OrderBy(e => e.Value.At).Select(e => new TrustedPeerView(e.Key, e.Value.Reason, e.Value.At, e.Value.By))],
        [
            .. state.BlockedPeers.Where(e => e.Value.IsInForce(now)).OrderBy(e => e.Value.At)
                .Select(e => new BlockedPeerView(e.Key, e.Value.Reason, e.Value.Until, e.Value.At, e.Value.By)),
        ],
        [
            .. state.BlockedPrefixes.Where(e => e.Value.IsInForce(now)).OrderBy(e => e.Value.At)
                .Select(e => new BlockedPrefixView(e.Key.ToString(), e.Value.Reason, e.Value.Until, e.Value.At, e.Value.By)),
        ],
        [.. state.RevokedKeys.OrderBy(e => e.Value.At).Select(e => new RevokedKeyView(e.Key, e.Value.Reason, e.Value.At, e.Value.By))],
        [
            .. state.RevokedCertificates.OrderBy(e => e.Value.At)
                .Select(e => new RevokedCertificateView(e.Key, e.Value.Reason, e.Value.At, e.Value.By)),
        ]);
}

/// <summary>A contact that is bound to a peer, and who else answered there last.</summary>
internal sealed record PinView(
    string Contact, PeerId Peer, PinOrigin Origin, DateTimeOffset At, string By, PeerId? Mismatch, DateTimeOffset? MismatchAt)
{
    public static PinView From(TrustPin pin) => new(pin.Contact, pin.Peer, pin.Origin, pin.At, pin.By, pin.Mismatch, pin.MismatchAt);
}

/// <summary>A trusted peer.</summary>
internal sealed record TrustedPeerView(PeerId Peer, string Reason, DateTimeOffset At, string By);

/// <summary>A blocked peer; <paramref name="Until"/> is null for ever.</summary>
internal sealed record BlockedPeerView(PeerId Peer, string Reason, DateTimeOffset? Until, DateTimeOffset At, string By);

/// <summary>A blocked range of addresses; <paramref name="Until"/> is null for ever.</summary>
internal sealed record BlockedPrefixView(string Prefix, string Reason, DateTimeOffset? Until, DateTimeOffset At, string By);

/// <summary>A revoked key.</summary>
internal sealed record RevokedKeyView(PeerId Key, string Reason, DateTimeOffset At, string By);

/// <summary>A revoked certificate.</summary>
internal sealed record RevokedCertificateView(string Fingerprint, string Reason, DateTimeOffset At, string By);

/// <summary>A command to pin.</summary>
/// <param name="Contact"><c>host:port</c>.</param>
/// <param name="Peer">The peer; its beginning is enough where only one known peer has it.</param>
/// <param name="By">Who decides; null for the operator.</param>
internal sealed record PinRequest(string Contact, string Peer, string? By = null);

/// <summary>A command to take a pin back.</summary>
/// <param name="Contact"><c>host:port</c>.</param>
/// <param name="Reason">Why, for people.</param>
/// <param name="By">Who decides; null for the operator.</param>
internal sealed record UnpinRequest(string Contact, string? Reason = null, string? By = null);

/// <summary>A command on a peer, a range of addresses or, to revoke, a certificate.</summary>
/// <param name="Target">A peer (its beginning is enough where only one known peer has it), <c>address/length</c>, or a certificate's fingerprint.</param>
/// <param name="Reason">Why, for people.</param>
/// <param name="Until">When a block ends; null for never.</param>
/// <param name="By">Who decides; null for the operator.</param>
internal sealed record TrustRequest(string Target, string? Reason = null, DateTimeOffset? Until = null, string? By = null);

/// <summary>What was recorded, durable; nothing when everything was so already.</summary>
/// <param name="Target">What the command was about, in full.</param>
/// <param name="Events">The events.</param>
internal sealed record TrustChangeView(string Target, IReadOnlyList<EventView> Events);
