using System.Net;
using EventMesh.Events;
using EventMesh.Identity;
using EventMesh.Projections;

namespace EventMesh.Trust;

/// <summary>
/// What happens to the trust ledger. Pure functions for <see cref="Journal.IEventJournal.Decide"/>: they return nothing when everything is so already, and
/// throw <see cref="MeshException"/> when it can't be.
/// </summary>
public static class TrustDecisions
{
    /// <summary>
    /// How many blocks of the node's own limits hold at a time, of peers and of prefixes each: 1,024. A further one takes the place of the one that ends first.
    /// </summary>
    public const int MaxAutomaticBlocks = 1024;

    /// <summary>A contact is bound to a peer.</summary>
    public static IReadOnlyList<IMeshEvent> Pin(MeshState state, string contact, PeerId peer, string by)
    {
        ArgumentNullException.ThrowIfNull(state);
        return state.Trust.Pins.TryGetValue(contact, out TrustPin? pin) && pin.Peer == peer && pin.Origin == PinOrigin.ByHand && pin.Mismatch is null
            ? []
            : [new PeerPinned(contact, peer, PinOrigin.ByHand, by)];
    }

    /// <summary>The pin of a contact is taken back.</summary>
    public static IReadOnlyList<IMeshEvent> Unpin(MeshState state, string contact, string reason, string by)
    {
        ArgumentNullException.ThrowIfNull(state);
        return state.Trust.Pins.TryGetValue(contact, out TrustPin? pin) ? [new PeerUnpinned(contact, pin.Peer, reason, by)] : [];
    }

    /// <summary>A peer was joined at a contact: the first one there is pinned.</summary>
    public static IReadOnlyList<IMeshEvent> PinFirstUse(MeshState state, string contact, PeerId peer)
    {
        ArgumentNullException.ThrowIfNull(state);
        return state.Trust.Pins.ContainsKey(contact) ? [] : [new PeerPinned(contact, peer, PinOrigin.FirstUse, TrustAuthor.FirstUse)];
    }

    /// <summary>Another peer answered at a contact: recorded once for each in a row, since it may go on for as long as the contact is dialled.</summary>
    public static IReadOnlyList<IMeshEvent> Mismatch(MeshState state, string contact, PeerId found, IPEndPoint endpoint)
    {
        ArgumentNullException.ThrowIfNull(state);
        return state.Trust.Pins.TryGetValue(contact, out TrustPin? pin) && pin.Mismatch != found
            ? [new PinMismatch(contact, pin.Peer, found, endpoint)]
            : [];
    }

    /// <summary>A peer is trusted.</summary>
    /// <exception cref="MeshException"><see cref="MeshError.Blocked"/>: it is blocked or its key revoked.</exception>
    public static IReadOnlyList<IMeshEvent> Trust(MeshState state, PeerId peer, string reason, string by, DateTimeOffset now)
    {
        ArgumentNullException.ThrowIfNull(state);
        if (state.IsRevoked(peer)) throw new MeshException(MeshError.Blocked, $"The key of peer {peer.ToShortString()} is revoked, which is for good.");
        if (state.BlockOf(peer, now) is { } block)
            throw new MeshException(MeshError.Blocked, $"Peer {peer.ToShortString()} is blocked ({block.Reason}): lift the block first.");
        return state.IsTrusted(peer) ? [] : [new PeerTrusted(peer, reason, by)];
    }

    /// <summary>A peer is blocked, and leaves the bootstrap cache.</summary>
    public static IReadOnlyList<IMeshEvent> Block(MeshState state, PeerId peer, string reason, DateTimeOffset? until, string by)
    {
        ArgumentNullException.ThrowIfNull(state);
        IReadOnlyList<PeerId> identities = state.SamePeer(peer);
        // The trust in any of its identities goes: each is blocked by name, so that the fold needs no chain.
        IEnumerable<PeerId> named = identities.Where(identity => identity == peer || state.Trust.Trusted.ContainsKey(identity));
        return
        [
            .. named.Select(identity => new PeerBlocked(identity, reason, until, by)),
            .. state.Cache.Entries.Keys.Where(identities.Contains).Select(Evicted),
        ];
    }

    /// <summary>A range of addresses is blocked; nodes that can be dialled only there leave the bootstrap cache.</summary>
    public static IReadOnlyList<IMeshEvent> Block(MeshState state, IPNetwork prefix, string reason, DateTimeOffset? until, string by)
    {
        ArgumentNullException.ThrowIfNull(state);
        return
        [
            new PrefixBlocked(prefix, reason, until, by),
            .. state.Cache.Entries.Values.Where(entry => entry.Endpoints.All(e => prefix.Contains(e.Address))).Select(entry => Evicted(entry.Peer)),
        ];
    }

    /// <summary>The node's limits block a peer for a time; nothing when it is trusted or blocked already.</summary>
    public static IReadOnlyList<IMeshEvent> BlockForAbuse(MeshState state, PeerId peer, string reason, DateTimeOffset until, DateTimeOffset now)
    {
        ArgumentNullException.ThrowIfNull(state);
        if (state.IsTrusted(peer) || state.BlockOf(peer, now) is not null) return [];
        IEnumerable<IMeshEvent> room = Oldest(state.Trust.BlockedPeers, now).Select(ended => new Unblocked(ended, null, "more recent ones", TrustAuthor.Limits));
        return [.. room, .. Block(state, peer, reason, until, TrustAuthor.Limits)];
    }

    /// <summary>The node's limits block a source for a time; nothing when it is blocked already. Trusted peers and those pinned by hand stay in the cache: it does not concern them.</summary>
    public static IReadOnlyList<IMeshEvent> BlockForAbuse(MeshState state, IPNetwork source, string reason, DateTimeOffset until, DateTimeOffset now)
    {
        ArgumentNullException.ThrowIfNull(state);
        if (state.BlockOf(source.BaseAddress, now) is not null) return [];
        IEnumerable<IMeshEvent> room = Oldest(state.Trust.BlockedPrefixes, now).Select(ended => new Unblocked(null, ended, "more recent ones", TrustAuthor.Limits));
        IEnumerable<IMeshEvent> block = Block(state, source, reason, until, TrustAuthor.Limits).Where(e => e is not CacheEntryEvicted evicted || !state.IsSpared(evicted.Peer));
        return [.. room, .. block];
    }

    /// <summary>The block of a peer is lifted.</summary>
    public static IReadOnlyList<IMeshEvent> Unblock(MeshState state, PeerId peer, string reason, string by, DateTimeOffset now)
    {
        ArgumentNullException.ThrowIfNull(state);
        return
        [
            .. state.SamePeer(peer)
                .Where(identity => state.Trust.BlockedPeers.TryGetValue(identity, out TrustBlock? block) && block.IsInForce(now))
                .Select(identity => new Unblocked(identity, null, reason, by)),
        ];
    }

    /// <summary>The block of a range is lifted.</summary>
    public static IReadOnlyList<IMeshEvent> Unblock(MeshState state, IPNetwork prefix, string reason, string by, DateTimeOffset now)
    {
        ArgumentNullException.ThrowIfNull(state);
        return state.Trust.BlockedPrefixes.TryGetValue(prefix, out TrustBlock? block) && block.IsInForce(now)
            ? [new Unblocked(null, prefix, reason, by)]
            : [];
    }

    /// <summary>A key is revoked; its peer leaves the bootstrap cache.</summary>
    public static IReadOnlyList<IMeshEvent> Revoke(MeshState state, PeerId key, string reason, string by)
    {
        ArgumentNullException.ThrowIfNull(state);
        if (state.IsRevoked(key)) return [];
        var revoked = new CertificateRevoked(key, null, reason, by);
        return state.Cache.Entries.ContainsKey(key) ? [revoked, Evicted(key)] : [revoked];
    }

    /// <summary>A certificate is revoked; nodes that showed it last leave the bootstrap cache.</summary>
    public static IReadOnlyList<IMeshEvent> Revoke(MeshState state, string fingerprint, string reason, string by)
    {
        ArgumentNullException.ThrowIfNull(state);
        if (state.IsRevoked(fingerprint)) return [];
        return
        [
            new CertificateRevoked(null, fingerprint, reason, by),
            .. state.Cache.Entries.Values.Where(entry => CertificateFingerprint.Of(entry.Certificate) == fingerprint).Select(entry => Evicted(entry.Peer)),
        ];
    }

    private static CacheEntryEvicted Evicted(PeerId peer) => new(peer, EvictionReason.Blocked);

    /// <summary>The automatic blocks that make room for one more.</summary>
    private static IEnumerable<T> Oldest<T>(IReadOnlyDictionary<T, TrustBlock> blocks, DateTimeOffset now)
    {
        if (blocks.Count < MaxAutomaticBlocks) return [];
        List<KeyValuePair<T, TrustBlock>> automatic = [.. blocks.Where(entry => entry.Value.IsAutomatic && entry.Value.IsInForce(now))];
        return automatic.OrderBy(entry => entry.Value.Until).ThenBy(entry => entry.Value.At)
            .Take(automatic.Count - MaxAutomaticBlocks + 1).Select(entry => entry.Key);
    }
}
