using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace EventMesh.Host.Authority;

/// <summary>Makes certificates and revocation lists. No files.</summary>
internal static class CertificateMaker
{
    private static readonly Oid ServerAuthentication = new("1.3.6.1.5.5.7.3.1", "serverAuth");
    private static readonly Oid ClientAuthentication = new("1.3.6.1.5.5.7.3.2", "clientAuth");

    /// <summary>A day back, for nodes whose clock is behind.</summary>
    private static readonly TimeSpan Back = TimeSpan.FromDays(1);

    /// <summary>A root, self-signed; below it one more authority at most.</summary>
    public static X509Certificate2 MakeRoot(string name, ECDsa key, DateTimeOffset now, DateTimeOffset notAfter)
    {
        CertificateRequest request = Authority(name, key, pathLength: 1);
        using X509Certificate2 signed = request.CreateSelfSigned(now - Back, notAfter);
        return X509CertificateLoader.LoadCertificate(signed.RawData);
    }

    /// <summary>An authority below a root, above nodes only.</summary>
    public static X509Certificate2 MakeIntermediate(string name, ECDsa key, Issuer root, DateTimeOffset now, DateTimeOffset notAfter) =>
        Sign(Authority(name, key, pathLength: 0), root, now, notAfter);

    /// <summary>A node's certificate.</summary>
    /// <param name="name">The common name.</param>
    /// <param name="key">The node's public key.</param>
    /// <param name="dnsNames">Its DNS names.</param>
    /// <param name="isClient">Whether it may only dial.</param>
    /// <param name="issuer">The authority.</param>
    /// <param name="now">The time.</param>
    /// <param name="notAfter">The end of its validity.</param>
    public static X509Certificate2 MakeNode(
        string name, PublicKey key, IEnumerable<string> dnsNames, bool isClient, Issuer issuer, DateTimeOffset now, DateTimeOffset notAfter)
    {
        var request = new CertificateRequest(Name(name), key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(certificateAuthority: false, false, 0, critical: true));
        request.CertificateExtensions.Add(new X509KeyUsageExtension(X509KeyUsageFlags.DigitalSignature, critical: true));
        request.CertificateExtensions.Add(new X509EnhancedKeyUsageExtension(
            isClient ? [ClientAuthentication] : [ServerAuthentication, ClientAuthentication], critical: false));
        request.CertificateExtensions.Add(new X509SubjectKeyIdentifierExtension(key, critical: false));
        var names = new SubjectAlternativeNameBuilder();
        bool hasNames = false;
        foreach (string dns in dnsNames)
        {
            names.AddDnsName(dns);
            hasNames = true;
        }
        if (hasNames) request.CertificateExtensions.Add(names.Build());
        return Sign(request, issuer, now, notAfter);
    }

    /// <summary>A revocation list, PEM.</summary>
    public static string MakeRevocationList(Issuer issuer, IEnumerable<IssuedCertificate> revoked, int number, DateTimeOffset now, DateTimeOffset nextUpdate)
    {
        var builder = new CertificateRevocationListBuilder();
        foreach (IssuedCertificate certificate in revoked)
            builder.AddEntry(Convert.FromHexString(certificate.Serial), certificate.RevokedAt, certificate.Reason is { } reason and not RevocationReason.Unspecified ? ToX509(reason) : null);
        byte[] list = builder.Build(
            issuer.Certificate.SubjectName, X509SignatureGenerator.CreateForECDsa(issuer.Key), number, nextUpdate, HashAlgorithmName.SHA256, KeyIdentifier(issuer), now);
        return PemEncoding.WriteString("X509 CRL", list) + "\n";
    }

    private static CertificateRequest Authority(string name, ECDsa key, int pathLength)
    {
        var request = new CertificateRequest(Name(name), key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(certificateAuthority: true, hasPathLengthConstraint: true, pathLength, critical: true));
        request.CertificateExtensions.Add(new X509KeyUsageExtension(X509KeyUsageFlags.KeyCertSign | X509KeyUsageFlags.CrlSign, critical: true));
        request.CertificateExtensions.Add(new X509SubjectKeyIdentifierExtension(request.PublicKey, critical: false));
        return request;
    }

    private static X509Certificate2 Sign(CertificateRequest request, Issuer issuer, DateTimeOffset now, DateTimeOffset notAfter)
    {
        request.CertificateExtensions.Add(KeyIdentifier(issuer));
        // RFC 5280 4.1.2.2: positive, and nobody can guess the next one.
        byte[] serial = RandomNumberGenerator.GetBytes(16);
        serial[0] = (byte)((serial[0] & 0x3f) | 0x40);
        return request.Create(issuer.Certificate.SubjectName, X509SignatureGenerator.CreateForECDsa(issuer.Key), now - Back, notAfter, serial);
    }

    private static X509AuthorityKeyIdentifierExtension KeyIdentifier(Issuer issuer) =>
        X509AuthorityKeyIdentifierExtension.CreateFromSubjectKeyIdentifier(issuer.Certificate.Extensions.OfType<X509SubjectKeyIdentifierExtension>().First());

    private static X500DistinguishedName Name(string name)
    {
        var builder = new X500DistinguishedNameBuilder();
        builder.AddCommonName(name);
        return builder.Build();
    }

    private static X509RevocationReason ToX509(RevocationReason reason) => reason switch
    {
        RevocationReason.KeyCompromise => X509RevocationReason.KeyCompromise,
        RevocationReason.Superseded => X509RevocationReason.Superseded,
        RevocationReason.CessationOfOperation => X509RevocationReason.CessationOfOperation,
        _ => X509RevocationReason.Unspecified,
    };
}
