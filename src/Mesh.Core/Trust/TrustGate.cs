using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using EventMesh.Events;
using EventMesh.Identity;
using EventMesh.Projections;
using EventMesh.Transport;

namespace EventMesh.Trust;

/// <summary>Judges certificates. In <see cref="TrustMode.Encrypted"/> any certificate does: TLS has proven that the peer holds its key.</summary>
internal static class TrustGate
{
    // A subject is the peer's to choose.
    private const int MaxSubject = 256;

    /// <summary>The quick verdict within the handshake.</summary>
    public static bool Verify(PeerCertificate certificate) => certificate.Chain.Count > 0;

    /// <summary>What is recorded when a connection with this certificate stands: the first acceptance of each key.</summary>
    public static IEnumerable<IMeshEvent> OnAccepted(MeshState state, PeerId peer, ReadOnlyMemory<byte> certificate)
    {
        if (state.Node.KnownKeys.Contains(peer)) return [];
        try
        {
            using X509Certificate2 parsed = X509CertificateLoader.LoadCertificate(certificate.Span);
            string subject = parsed.Subject.Length <= MaxSubject ? parsed.Subject : parsed.Subject[..MaxSubject];
            return [new CertificateAccepted(peer, subject, new DateTimeOffset(parsed.NotAfter).ToUniversalTime(), TrustMode.Encrypted)];
        }
        catch (CryptographicException)
        {
            // TLS took it, the platform's parser does not: the key is proven all the same.
            return [new CertificateAccepted(peer, "(unreadable)", DateTimeOffset.MaxValue, TrustMode.Encrypted)];
        }
    }
}
