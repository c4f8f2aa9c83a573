using System.Formats.Asn1;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace EventMesh.Trust.Internal;

/// <summary>
/// What the log tells of a certificate, read without the platform's parser: that one decodes the key too, which costs more than everything else that a
/// join records.
/// </summary>
/// <param name="Subject">The name of its owner, as <see cref="X509Certificate2"/> writes it.</param>
/// <param name="NotAfter">The end of its validity, UTC.</param>
internal readonly record struct CertificateLabel(string Subject, DateTimeOffset NotAfter)
{
    private static readonly Asn1Tag VersionTag = new(TagClass.ContextSpecific, 0, isConstructed: true);

    /// <summary>Reads a certificate (RFC 5280 4.1), DER; null when it can't be read.</summary>
    public static CertificateLabel? TryRead(ReadOnlyMemory<byte> certificate)
    {
        try
        {
            AsnReader signed = new AsnReader(certificate, AsnEncodingRules.DER).ReadSequence().ReadSequence();
            if (signed.PeekTag().HasSameClassAndValue(VersionTag)) signed.ReadEncodedValue();
            signed.ReadEncodedValue(); // serialNumber
            signed.ReadEncodedValue(); // signature
            signed.ReadEncodedValue(); // issuer
            AsnReader validity = signed.ReadSequence();
            validity.ReadEncodedValue(); // notBefore
            DateTimeOffset notAfter = validity.PeekTag().HasSameClassAndValue(Asn1Tag.UtcTime) ? validity.ReadUtcTime() : validity.ReadGeneralizedTime();
            return new(new X500DistinguishedName(signed.ReadEncodedValue().Span).Name, notAfter);
        }
        catch (Exception e) when (e is AsnContentException or CryptographicException)
        {
            return null;
        }
    }
}
