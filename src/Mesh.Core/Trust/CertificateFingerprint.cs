using System.Security.Cryptography;

namespace EventMesh.Trust;

/// <summary>The name of a single certificate: the SHA-256 of its DER, 64 digits of hexadecimal in lower case.</summary>
public static class CertificateFingerprint
{
    private const int Length = 64;

    /// <summary>The fingerprint of a certificate.</summary>
    /// <param name="certificate">The certificate, DER.</param>
    public static string Of(ReadOnlySpan<byte> certificate)
    {
        Span<byte> hash = stackalloc byte[SHA256.HashSizeInBytes];
        SHA256.HashData(certificate, hash);
        return Convert.ToHexStringLower(hash);
    }

    /// <summary>Reads a fingerprint, with or without colons; false when it is malformed.</summary>
    public static bool TryParse(string? text, out string fingerprint)
    {
        fingerprint = (text ?? "").Replace(":", "", StringComparison.Ordinal).ToLowerInvariant();
        return fingerprint.Length == Length && fingerprint.All(char.IsAsciiHexDigitLower);
    }
}
