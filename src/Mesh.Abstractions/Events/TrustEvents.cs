using System.Net;
using EventMesh.Identity;

namespace EventMesh.Events;

/// <summary>A peer's certificate was accepted for the first time.</summary>
/// <param name="Peer">The peer.</param>
/// <param name="Subject">The certificate's subject, as it says.</param>
/// <param name="NotAfter">The end of its validity.</param>
/// <param name="Mode">The trust mode that accepted it.</param>
[MeshEvent("trust.certificate-accepted", 1, StreamFamily.Trust)]
public sealed record CertificateAccepted(PeerId Peer, string Subject, DateTimeOffset NotAfter, TrustMode Mode) : IMeshEvent;

/// <summary>A peer proved that it has changed its key: both keys have signed. What was decided on the one holds for the other.</summary>
/// <param name="Predecessor">The peer's identity until then.</param>
/// <param name="Successor">Its identity since.</param>
/// <param name="Sequence">The number of the change, as the peer counts.</param>
/// <param name="SignedAt">When it was signed, by the peer's clock.</param>
[MeshEvent("trust.key-succeeded", 1, StreamFamily.Trust)]
public sealed record KeySucceeded(PeerId Predecessor, PeerId Successor, long Sequence, DateTimeOffset SignedAt) : IMeshEvent;

/// <summary>A second successor of one key appeared: somebody has a copy of it. Both are refused until an operator decides.</summary>
/// <param name="Predecessor">The key that both claim to follow.</param>
/// <param name="Known">The successor known until then.</param>
/// <param name="Claimed">The other one.</param>
[MeshEvent("trust.succession-disputed", 1, StreamFamily.Trust)]
public sealed record SuccessionDisputed(PeerId Predecessor, PeerId Known, PeerId Claimed) : IMeshEvent;

/// <summary>An operator decided which successor of a key is the true one.</summary>
/// <param name="Predecessor">The key.</param>
/// <param name="Successor">Its successor; null when none of the claimants is.</param>
/// <param name="By">Who decided.</param>
[MeshEvent("trust.succession-decided", 1, StreamFamily.Trust)]
public sealed record SuccessionDecided(PeerId Predecessor, PeerId? Successor, string By) : IMeshEvent;

/// <summary>How a peer's certificate is judged.</summary>
public enum TrustMode
{
    /// <summary>Any certificate: the connection is encrypted and the key is proven, nobody vouches for it.</summary>
    Encrypted,

    /// <summary>A chain to one of the configured roots.</summary>
    PrivateAuthority,

    /// <summary>A chain to a public root, and a DNS name of the allow-list.</summary>
    PublicAuthority,
}

/// <summary>A contact was bound to a peer: another one that answers there is refused.</summary>
/// <param name="Contact">The contact, <c>host:port</c> with a DNS name or an address, in lower case.</param>
/// <param name="Peer">The peer.</param>
/// <param name="Origin">How it came about.</param>
/// <param name="By">Who decided it: <c>first-use</c>, a user's name, a part of the application.</param>
[MeshEvent("trust.peer-pinned", 1, StreamFamily.Trust)]
public sealed record PeerPinned(string Contact, PeerId Peer, PinOrigin Origin, string By) : IMeshEvent;

/// <summary>A pin was taken back: any peer may answer at the contact.</summary>
/// <param name="Contact">The contact.</param>
/// <param name="Peer">The peer that was pinned there.</param>
/// <param name="Reason">Why, for people.</param>
/// <param name="By">Who decided it.</param>
[MeshEvent("trust.peer-unpinned", 1, StreamFamily.Trust)]
public sealed record PeerUnpinned(string Contact, PeerId Peer, string Reason, string By) : IMeshEvent;

/// <summary>Another peer than the pinned one answered at a contact, and was refused. Recorded once for each peer in a row.</summary>
/// <param name="Contact">The contact.</param>
/// <param name="Expected">The pinned peer.</param>
/// <param name="Found">The peer that answered.</param>
/// <param name="Endpoint">Where it answered.</param>
[MeshEvent("trust.pin-mismatch", 1, StreamFamily.Trust)]
public sealed record PinMismatch(string Contact, PeerId Expected, PeerId Found, IPEndPoint Endpoint) : IMeshEvent;

/// <summary>A peer is trusted: limits never block it, and it is not given up for others.</summary>
/// <param name="Peer">The peer.</param>
/// <param name="Reason">Why, for people.</param>
/// <param name="By">Who decided it.</param>
[MeshEvent("trust.peer-trusted", 1, StreamFamily.Trust)]
public sealed record PeerTrusted(PeerId Peer, string Reason, string By) : IMeshEvent;

/// <summary>A peer is blocked: its connections are closed and new ones refused. It is no longer trusted.</summary>
/// <param name="Peer">The peer.</param>
/// <param name="Reason">Why, for people.</param>
/// <param name="Until">When the block ends by itself; null for never.</param>
/// <param name="By">Who decided it; <see cref="TrustAuthor.Limits"/> for the node itself.</param>
[MeshEvent("trust.peer-blocked", 1, StreamFamily.Trust)]
public sealed record PeerBlocked(PeerId Peer, string Reason, DateTimeOffset? Until, string By) : IMeshEvent;

/// <summary>A range of addresses is blocked: connections with it are closed and new ones refused before the handshake.</summary>
/// <param name="Prefix">The range.</param>
/// <param name="Reason">Why, for people.</param>
/// <param name="Until">When the block ends by itself; null for never.</param>
/// <param name="By">Who decided it; <see cref="TrustAuthor.Limits"/> for the node itself.</param>
[MeshEvent("trust.prefix-blocked", 1, StreamFamily.Trust)]
public sealed record PrefixBlocked(IPNetwork Prefix, string Reason, DateTimeOffset? Until, string By) : IMeshEvent;

/// <summary>A block was lifted before its end; exactly one of peer and prefix is given.</summary>
/// <param name="Peer">The peer that was blocked.</param>
/// <param name="Prefix">The range that was blocked.</param>
/// <param name="Reason">Why, for people.</param>
/// <param name="By">Who decided it.</param>
[MeshEvent("trust.unblocked", 1, StreamFamily.Trust)]
public sealed record Unblocked(PeerId? Peer, IPNetwork? Prefix, string Reason, string By) : IMeshEvent;

/// <summary>A key or a single certificate is refused for good; exactly one of them is given.</summary>
/// <param name="Key">The identity of the key: all certificates on it are refused.</param>
/// <param name="Fingerprint">The SHA-256 of the certificate's DER, 64 digits of hexadecimal in lower case.</param>
/// <param name="Reason">Why, for people.</param>
/// <param name="By">Who decided it.</param>
[MeshEvent("trust.certificate-revoked", 1, StreamFamily.Trust)]
public sealed record CertificateRevoked(PeerId? Key, string? Fingerprint, string Reason, string By) : IMeshEvent;

/// <summary>How a pin came about.</summary>
public enum PinOrigin
{
    /// <summary>It is the first peer that was joined there.</summary>
    FirstUse,

    /// <summary>An operator or the application said so.</summary>
    ByHand,
}
