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

/// <summary>How a peer's certificate is judged.</summary>
public enum TrustMode
{
    /// <summary>Any certificate: the connection is encrypted and the key is proven, nobody vouches for it.</summary>
    Encrypted,
}

/// <summary>A contact was bound to a peer: another one that answers there is refused.</summary>
/// <param name="Contact">The contact, <c>host:port</c> with a DNS name or an address, in lower case.</param>
/// <param name="Peer">The peer.</param>
/// <param name="Origin">How it came about.</param>
/// <param name="By">Who decided it: <c>first-use</c>, a user's name, a part of the application.</param>
[MeshEvent("trust.peer-pinned", 1, StreamFamily.Trust)]
public sealed record PeerPinned(string Contact, PeerId Peer, PinOrigin Origin, string By) : IMeshEvent;

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
