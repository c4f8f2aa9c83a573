using System.Formats.Asn1;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace EventMesh.Trust.Internal;

/// <summary>A revocation list (RFC 5280 5) of a local file. Immutable.</summary>
/// <remarks>
/// The operator put it there, so it counts past its next update too and without its issuer's certificate at hand; where a configured root is its
/// issuer, its signature is checked when it is read.
/// </remarks>
internal sealed class RevocationList
{
    private readonly byte[] _issuer;
    private readonly HashSet<string> _serials;
    private readonly byte[] _content;
    private readonly byte[] _signature;
    private readonly string _algorithm;

    private RevocationList(byte[] issuer, DateTimeOffset? nextUpdate, HashSet<string> serials, byte[] content, string algorithm, byte[] signature)
    {
        _issuer = issuer;
        _serials = serials;
        _content = content;
        _algorithm = algorithm;
        _signature = signature;
        Issuer = new X500DistinguishedName(issuer).Name;
        NextUpdate = nextUpdate;
    }

    /// <summary>Its issuer's name.</summary>
    public string Issuer { get; }

    /// <summary>When a newer one is due; null when it does not say.</summary>
    public DateTimeOffset? NextUpdate { get; }

    /// <summary>How many certificates it revokes.</summary>
    public int Count => _serials.Count;

    /// <summary>Whether it revokes a certificate.</summary>
    public bool Revokes(X509Certificate2 certificate) =>
        certificate.IssuerName.RawData.AsSpan().SequenceEqual(_issuer) && _serials.Contains(Serial(certificate.SerialNumberBytes.Span));

    /// <summary>Whether it bears the name of an authority.</summary>
    public bool IsNamedAfter(X509Certificate2 authority) => authority.SubjectName.RawData.AsSpan().SequenceEqual(_issuer);

    /// <summary>Whether an authority's key has signed it.</summary>
    public bool IsSignedBy(X509Certificate2 authority)
    {
        HashAlgorithmName? hash = _algorithm switch
        {
            "1.2.840.10045.4.3.2" or "1.2.840.113549.1.1.11" => HashAlgorithmName.SHA256,
            "1.2.840.10045.4.3.3" or "1.2.840.113549.1.1.12" => HashAlgorithmName.SHA384,
            "1.2.840.10045.4.3.4" or "1.2.840.113549.1.1.13" => HashAlgorithmName.SHA512,
            _ => null,
        };
        if (hash is not { } name) return false;
        using ECDsa? ecdsa = authority.GetECDsaPublicKey();
        if (ecdsa is not null) return ecdsa.VerifyData(_content, _signature, name, DSASignatureFormat.Rfc3279DerSequence);
        using RSA? rsa = authority.GetRSAPublicKey();
        return rsa is not null && rsa.VerifyData(_content, _signature, name, RSASignaturePadding.Pkcs1);
    }

    /// <summary>Reads the lists of a file's content: one in DER, or any number in PEM.</summary>
    /// <exception cref="CryptographicException">It holds none, or one that can't be read.</exception>
    public static IReadOnlyList<RevocationList> ParseFile(byte[] content)
    {
        string text = System.Text.Encoding.Latin1.GetString(content);
        if (!text.Contains("-----BEGIN ", StringComparison.Ordinal)) return [Parse(content)];
        List<RevocationList> lists = [];
        ReadOnlySpan<char> rest = text;
        while (PemEncoding.TryFind(rest, out PemFields fields))
        {
            if (rest[fields.Label] is "X509 CRL") lists.Add(Parse(Convert.FromBase64String(rest[fields.Base64Data].ToString())));
            rest = rest[fields.Location.End..];
        }
        return lists.Count > 0 ? lists : throw new CryptographicException("The file holds no 'X509 CRL'.");
    }

    /// <summary>Reads a CertificateList (RFC 5280 5.1).</summary>
    public static RevocationList Parse(ReadOnlyMemory<byte> der)
    {
        try
        {
            AsnReader list = new AsnReader(der, AsnEncodingRules.DER).ReadSequence();
            ReadOnlyMemory<byte> signed = list.PeekEncodedValue();
            AsnReader content = list.ReadSequence();
            string algorithm = list.ReadSequence().ReadObjectIdentifier();
            byte[] signature = list.ReadBitString(out _);
            if (content.PeekTag() == Asn1Tag.Integer) content.ReadInteger();
            content.ReadSequence();
            byte[] issuer = content.ReadEncodedValue().ToArray();
            ReadTime(content);
            DateTimeOffset? nextUpdate = content.HasData && IsTime(content.PeekTag()) ? ReadTime(content) : null;
            HashSet<string> serials = [];
            if (content.HasData && content.PeekTag() == Asn1Tag.Sequence)
            {
                AsnReader entries = content.ReadSequence();
                while (entries.HasData) serials.Add(Serial(entries.ReadSequence().ReadIntegerBytes().Span));
            }
            return new RevocationList(issuer, nextUpdate, serials, signed.ToArray(), algorithm, signature);
        }
        catch (AsnContentException e)
        {
            throw new CryptographicException($"It is not a revocation list: {e.Message}", e);
        }
    }

    private static bool IsTime(Asn1Tag tag) => tag == Asn1Tag.UtcTime || tag == Asn1Tag.GeneralizedTime;

    private static DateTimeOffset ReadTime(AsnReader reader) =>
        reader.PeekTag() == Asn1Tag.UtcTime ? reader.ReadUtcTime() : reader.ReadGeneralizedTime();

    private static string Serial(ReadOnlySpan<byte> bytes) => Convert.ToHexString(bytes.TrimStart((byte)0));
}
