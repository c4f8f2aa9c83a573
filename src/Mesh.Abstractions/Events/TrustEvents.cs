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
