using System.Security.Cryptography.X509Certificates;
using EventMesh.Events;

namespace EventMesh.Trust.Internal;

/// <summary>What a certificate is judged by. Immutable.</summary>
/// <param name="Mode">The trust mode.</param>
/// <param name="Roots">The trusted roots; null for the system's.</param>
/// <param name="AllowedNames">The names and suffixes that peers may have; empty when names are not asked for.</param>
internal sealed record TrustPolicy(TrustMode Mode, X509Certificate2Collection? Roots, IReadOnlyList<string> AllowedNames)
{
    /// <summary>Any certificate does.</summary>
    public static TrustPolicy Encrypted { get; } = new(TrustMode.Encrypted, null, []);

    /// <summary>Whether somebody has to vouch for a key.</summary>
    public bool Validates => Mode != TrustMode.Encrypted;

    /// <summary>Whether a peer has to have a DNS name.</summary>
    public bool WantsName => Mode == TrustMode.PublicAuthority || (Validates && AllowedNames.Count > 0);
}
