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
