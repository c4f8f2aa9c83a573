using System.Net;
using EventMesh.Events;
using EventMesh.Identity;
using EventMesh.Projections;

namespace EventMesh.Trust;

/// <summary>What the ledger says of a peer or an address. Pure; each question asks <see cref="MeshState.SamePeer"/> for the peer's other identities.</summary>
public static class TrustLookups
{
    /// <summary>The block of a peer that holds at a time; null for none.</summary>
    public static TrustBlock? BlockOf(this MeshState state, PeerId peer, DateTimeOffset now)
    {
        ArgumentNullException.ThrowIfNull(state);
        // The common case costs nothing.
        if (state.Trust.BlockedPeers.IsEmpty) return null;
        foreach (PeerId identity in state.SamePeer(peer))
        {
            if (state.Trust.BlockedPeers.TryGetValue(identity, out TrustBlock? block) && block.IsInForce(now)) return block;
        }
        return null;
    }

    /// <summary>The block of an address that holds at a time, an operator's before an automatic one; null for none.</summary>
    public static TrustBlock? BlockOf(this MeshState state, IPAddress address, DateTimeOffset now)
    {
        ArgumentNullException.ThrowIfNull(state);
        ArgumentNullException.ThrowIfNull(address);
        if (state.Trust.BlockedPrefixes.IsEmpty) return null;
        TrustBlock? automatic = null;
        foreach ((IPNetwork prefix, TrustBlock block) in state.Trust.BlockedPrefixes)
        {
            if (!prefix.Contains(address) || !block.IsInForce(now)) continue;
            if (!block.IsAutomatic) return block;
            automatic = block;
        }
        return automatic;
    }

    /// <summary>Whether a key is revoked. A revocation concerns this key alone: that of a key which was lost does not follow its owner to the next.</summary>
    public static bool IsRevoked(this MeshState state, PeerId key)
    {
        ArgumentNullException.ThrowIfNull(state);
        return state.Trust.RevokedKeys.ContainsKey(key);
    }

    /// <summary>Whether a certificate is revoked.</summary>
    /// <param name="state">The node's state.</param>
    /// <param name="fingerprint">The SHA-256 of its DER, hexadecimal in lower case.</param>
    public static bool IsRevoked(this MeshState state, string fingerprint)
    {
        ArgumentNullException.ThrowIfNull(state);
        return state.Trust.RevokedCertificates.ContainsKey(fingerprint);
    }

    /// <summary>Whether a peer is trusted. A block and a revocation take the trust away.</summary>
    public static bool IsTrusted(this MeshState state, PeerId peer)
    {
        ArgumentNullException.ThrowIfNull(state);
        return !state.Trust.Trusted.IsEmpty && state.SamePeer(peer).Any(state.Trust.Trusted.ContainsKey);
    }

    /// <summary>
    /// Whether an automatic block of its address does not concern a peer: an operator has trusted it, or pinned it by hand. What others behind one address
    /// do must not take from the operator whom he has named.
    /// </summary>
    public static bool IsSpared(this MeshState state, PeerId peer)
    {
        ArgumentNullException.ThrowIfNull(state);
        if (state.IsTrusted(peer)) return true;
        if (state.Trust.Pins.IsEmpty) return false;
        IReadOnlyList<PeerId> identities = state.SamePeer(peer);
        return state.Trust.Pins.Values.Any(pin => pin.Origin == PinOrigin.ByHand && identities.Contains(pin.Peer));
    }

    /// <summary>Whether a contact is pinned to a peer.</summary>
    public static bool IsPinned(this MeshState state, PeerId peer)
    {
        ArgumentNullException.ThrowIfNull(state);
        if (state.Trust.Pins.IsEmpty) return false;
        IReadOnlyList<PeerId> identities = state.SamePeer(peer);
        return state.Trust.Pins.Values.Any(pin => identities.Contains(pin.Peer));
    }

    /// <summary>Whether a peer may answer at a contact: nobody is pinned there, or this very peer.</summary>
    public static bool MayAnswer(this MeshState state, string contact, PeerId peer)
    {
        ArgumentNullException.ThrowIfNull(state);
        return !state.Trust.Pins.TryGetValue(contact, out TrustPin? pin) || state.SamePeer(peer).Contains(pin.Peer);
    }
}
