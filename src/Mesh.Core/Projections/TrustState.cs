using System.Collections.Immutable;
using System.Net;
using EventMesh.Events;
using EventMesh.Identity;

namespace EventMesh.Projections;

/// <summary>
/// The trust ledger: a fold of <c>trust</c> events. A timed block stays here until the first trust event after its end: whoever looks asks
/// <see cref="TrustBlock.IsInForce"/>. What operators decide is as many as they decide; what remote peers can cause, automatic blocks, is bounded by
/// the decisions, and pins by the number of contacts.
/// </summary>
/// <param name="Pins">The pins by contact.</param>
/// <param name="Trusted">The trusted peers.</param>
/// <param name="BlockedPeers">The blocked peers.</param>
/// <param name="BlockedPrefixes">The blocked ranges of addresses.</param>
/// <param name="RevokedKeys">The revoked keys.</param>
/// <param name="RevokedCertificates">The revoked certificates by fingerprint.</param>
public sealed record TrustState(
    ImmutableDictionary<string, TrustPin> Pins, ImmutableDictionary<PeerId, TrustDecision> Trusted,
    ImmutableDictionary<PeerId, TrustBlock> BlockedPeers, ImmutableDictionary<IPNetwork, TrustBlock> BlockedPrefixes,
    ImmutableDictionary<PeerId, TrustDecision> RevokedKeys, ImmutableDictionary<string, TrustDecision> RevokedCertificates)
{
    /// <summary>An empty ledger.</summary>
    public static TrustState Empty { get; } = new(
        ImmutableDictionary.Create<string, TrustPin>(StringComparer.Ordinal), ImmutableDictionary<PeerId, TrustDecision>.Empty,
        ImmutableDictionary<PeerId, TrustBlock>.Empty, ImmutableDictionary<IPNetwork, TrustBlock>.Empty,
        ImmutableDictionary<PeerId, TrustDecision>.Empty, ImmutableDictionary.Create<string, TrustDecision>(StringComparer.Ordinal));

    /// <summary>The ledger after one more event. Pure.</summary>
    public static TrustState Apply(TrustState state, RecordedEvent recorded)
    {
        ArgumentNullException.ThrowIfNull(state);
        ArgumentNullException.ThrowIfNull(recorded);
        DateTimeOffset at = recorded.Time;
        switch (recorded.Data)
        {
            case PeerPinned e:
                return state with { Pins = state.Pins.SetItem(e.Contact, new(e.Contact, e.Peer, e.Origin, at, e.By, null, null)) };
            case PeerUnpinned e:
                return state with { Pins = state.Pins.Remove(e.Contact) };
            case PinMismatch e when state.Pins.TryGetValue(e.Contact, out TrustPin? pin):
                return state with { Pins = state.Pins.SetItem(e.Contact, pin with { Mismatch = e.Found, MismatchAt = at }) };
            case PeerTrusted e:
                return state with { Trusted = state.Trusted.SetItem(e.Peer, new(e.Reason, at, e.By)) };
            case PeerBlocked e:
                TrustState withPeer = state.WithoutEnded(at);
                return withPeer with
                {
                    BlockedPeers = withPeer.BlockedPeers.SetItem(e.Peer, new(e.Reason, at, e.Until, e.By)),
                    Trusted = withPeer.Trusted.Remove(e.Peer),
                };
            case PrefixBlocked e:
                TrustState withPrefix = state.WithoutEnded(at);
                return withPrefix with { BlockedPrefixes = withPrefix.BlockedPrefixes.SetItem(e.Prefix, new(e.Reason, at, e.Until, e.By)) };
            case Unblocked e:
                TrustState without = state.WithoutEnded(at);
                return without with
                {
                    BlockedPeers = e.Peer is { } peer ? without.BlockedPeers.Remove(peer) : without.BlockedPeers,
                    BlockedPrefixes = e.Prefix is { } prefix ? without.BlockedPrefixes.Remove(prefix) : without.BlockedPrefixes,
                };
            case CertificateRevoked { Key: { } key } e:
                return state with { RevokedKeys = state.RevokedKeys.SetItem(key, new(e.Reason, at, e.By)), Trusted = state.Trusted.Remove(key) };
            case CertificateRevoked { Fingerprint: { } fingerprint } e:
                return state with { RevokedCertificates = state.RevokedCertificates.SetItem(fingerprint, new(e.Reason, at, e.By)) };
            default:
                return state;
        }
    }

    private TrustState WithoutEnded(DateTimeOffset now) => this with
    {
        BlockedPeers = BlockedPeers.RemoveRange(BlockedPeers.Where(entry => !entry.Value.IsInForce(now)).Select(entry => entry.Key)),
        BlockedPrefixes = BlockedPrefixes.RemoveRange(BlockedPrefixes.Where(entry => !entry.Value.IsInForce(now)).Select(entry => entry.Key)),
    };
}
