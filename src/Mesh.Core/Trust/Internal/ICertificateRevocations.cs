using EventMesh.Identity;

namespace EventMesh.Trust.Internal;

/// <summary>What the trust ledger knows of revoked certificates.</summary>
/// <remarks>Called concurrently, once per handshake; it answers from memory.</remarks>
internal interface ICertificateRevocations
{
    /// <summary>Why a certificate is revoked, for people; null when it is not.</summary>
    /// <param name="peer">The identity of its key.</param>
    /// <param name="certificate">The certificate, DER.</param>
    string? WhyRevoked(PeerId peer, ReadOnlyMemory<byte> certificate);
}
