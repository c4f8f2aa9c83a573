using System.Formats.Asn1;

namespace EventMesh.Transport.Ngtcp2.Internal;

/// <summary>Finds the public key in a certificate without making an object of it.</summary>
internal static class CertificateReader
{
    private static readonly Asn1Tag VersionTag = new(TagClass.ContextSpecific, 0, isConstructed: true);

    /// <summary>The SubjectPublicKeyInfo, DER, of an X.509 certificate (RFC 5280 4.1).</summary>
    /// <exception cref="AsnContentException">It is not a certificate.</exception>
    public static ReadOnlySpan<byte> PublicKeyInfo(ReadOnlySpan<byte> certificate)
    {
        ReadOnlySpan<byte> rest = Enter(Enter(certificate)); // tbsCertificate
        if (AsnDecoder.ReadEncodedValue(rest, AsnEncodingRules.DER, out _, out _, out int length).HasSameClassAndValue(VersionTag))
            rest = rest[length..];
        for (int i = 0; i < 5; i++) // serialNumber, signature, issuer, validity, subject
            rest = rest[LengthOfFirst(rest)..];
        return rest[..LengthOfFirst(rest)];
    }

    private static ReadOnlySpan<byte> Enter(ReadOnlySpan<byte> sequence)
    {
        AsnDecoder.ReadSequence(sequence, AsnEncodingRules.DER, out int offset, out int length, out _);
        return sequence.Slice(offset, length);
    }

    private static int LengthOfFirst(ReadOnlySpan<byte> values)
    {
        _ = AsnDecoder.ReadEncodedValue(values, AsnEncodingRules.DER, out _, out _, out int consumed);
        return consumed;
    }
}
