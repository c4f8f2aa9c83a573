using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace EventMesh.Trust.Internal;

/// <summary>The keys and signatures that are strong enough: RSA of 2,048 to 8,192 bits, P-256, P-384; no MD5 and no SHA-1. Pure.</summary>
internal static class KeyStrength
{
    public const int MinRsaBits = 2048;
    public const int MaxRsaBits = 8192;

    private const string P256 = "1.2.840.10045.3.1.7";
    private const string P384 = "1.3.132.0.34";

    // RFC 3279 and RFC 5758: MD2, MD5 and SHA-1 with RSA, SHA-1 with DSA and ECDSA.
    private static readonly HashSet<string> WeakSignatures =
    [
        "1.2.840.113549.1.1.2", "1.2.840.113549.1.1.4", "1.2.840.113549.1.1.5", "1.2.840.10040.4.3", "1.2.840.10045.4.1",
    ];

    /// <summary>What is wrong with a certificate's key, for people; null for nothing.</summary>
    public static string? Weakness(X509Certificate2 certificate)
    {
        using RSA? rsa = certificate.GetRSAPublicKey();
        if (rsa is not null) return Weakness(rsa);
        using ECDsa? ecdsa = certificate.GetECDsaPublicKey();
        return ecdsa is null ? $"of a kind that is not taken ({certificate.PublicKey.Oid.FriendlyName ?? certificate.PublicKey.Oid.Value})" : Weakness(ecdsa);
    }

    /// <summary>What is wrong with a key, for people; null for nothing.</summary>
    public static string? Weakness(AsymmetricAlgorithm key) => key switch
    {
        RSA { KeySize: < MinRsaBits } => $"RSA of {key.KeySize} bits; {MinRsaBits} are the least",
        RSA { KeySize: > MaxRsaBits } => $"RSA of {key.KeySize} bits; {MaxRsaBits} are the most",
        RSA => null,
        ECDsa ecdsa when CurveOf(ecdsa) is P256 or P384 => null,
        ECDsa => "on a curve other than P-256 and P-384",
        _ => "of a kind that is not taken",
    };

    /// <summary>The name of a key's algorithm in the log: <c>ecdsa-p256</c>, <c>ecdsa-p384</c> or <c>rsa</c>.</summary>
    public static string NameOf(AsymmetricAlgorithm key) => key switch
    {
        ECDsa ecdsa => CurveOf(ecdsa) == P384 ? "ecdsa-p384" : "ecdsa-p256",
        _ => "rsa",
    };

    /// <summary>Whether an authority signed with a hash that can be forged.</summary>
    public static bool IsWeakSignature(X509Certificate2 certificate) => WeakSignatures.Contains(certificate.SignatureAlgorithm.Value ?? "");

    private static string? CurveOf(ECDsa key) => key.ExportParameters(includePrivateParameters: false).Curve is { IsNamed: true } curve ? curve.Oid.Value : null;
}
