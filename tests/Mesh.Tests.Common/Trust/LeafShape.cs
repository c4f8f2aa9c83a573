using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace EventMesh.Tests.Common.Trust;

/// <summary>How the certificate of a node is made; by custom a good one.</summary>
public sealed record LeafShape
{
    public DateTimeOffset? NotBefore { get; init; }

    public DateTimeOffset? NotAfter { get; init; }

    public bool IsAuthority { get; init; }

    public X509KeyUsageFlags Usage { get; init; } = X509KeyUsageFlags.DigitalSignature;

    /// <summary>The extended key usage; null for none.</summary>
    public IReadOnlyList<Oid>? Purposes { get; init; } = [TestAuthority.ServerAuthentication, TestAuthority.ClientAuthentication];

    public IReadOnlyList<string> DnsNames { get; init; } = [];

    public IReadOnlyList<X509Extension> Extensions { get; init; } = [];

    /// <summary>The key, which the issuing disposes; null for a new one on P-256.</summary>
    public AsymmetricAlgorithm? Key { get; init; }
}
