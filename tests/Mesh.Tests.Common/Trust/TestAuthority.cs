using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace EventMesh.Tests.Common.Trust;

/// <summary>An authority of a test, which issues good certificates and, when told so, bad ones.</summary>
public sealed class TestAuthority : IDisposable
{
    public static readonly Oid ServerAuthentication = new("1.3.6.1.5.5.7.3.1");
    public static readonly Oid ClientAuthentication = new("1.3.6.1.5.5.7.3.2");

    private readonly ECDsa _key;
    private readonly TestAuthority? _above;

    private TestAuthority(X509Certificate2 certificate, ECDsa key, TestAuthority? above)
    {
        Certificate = certificate;
        _key = key;
        _above = above;
    }

    /// <summary>The authority's certificate, without its key.</summary>
    public X509Certificate2 Certificate { get; }

    /// <summary>What its nodes send along: this authority and those above it, but the root.</summary>
    public IReadOnlyList<X509Certificate2> Intermediates => _above is null ? [] : [Certificate, .. _above.Intermediates];

    /// <summary>Makes a root.</summary>
    public static TestAuthority Root(string name = "root")
    {
        var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        DateTimeOffset now = TimeProvider.System.GetUtcNow();
        CertificateRequest request = Request(name, key, isAuthority: true, X509KeyUsageFlags.KeyCertSign | X509KeyUsageFlags.CrlSign);
        using X509Certificate2 signed = request.CreateSelfSigned(now.AddYears(-2), now.AddYears(10));
        return new TestAuthority(X509CertificateLoader.LoadCertificate(signed.RawData), key, null);
    }

    /// <summary>Makes an authority below this one.</summary>
    /// <param name="name">Its common name.</param>
    /// <param name="isAuthority">False for a certificate that is none and is misused as one.</param>
    /// <param name="usage">Its key usage.</param>
    /// <param name="notAfter">The end of its validity.</param>
    public TestAuthority Intermediate(
        string name = "intermediate", bool isAuthority = true, X509KeyUsageFlags usage = X509KeyUsageFlags.KeyCertSign | X509KeyUsageFlags.CrlSign,
        DateTimeOffset? notAfter = null)
    {
        var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        CertificateRequest request = Request(name, key, isAuthority, usage);
        return new TestAuthority(Sign(request, TimeProvider.System.GetUtcNow().AddYears(-1), notAfter ?? TimeProvider.System.GetUtcNow().AddYears(5)), key, this);
    }

    /// <summary>Issues a node's certificate, with its key, which can be exported.</summary>
    public X509Certificate2 Issue(string name = "node", LeafShape? shape = null)
    {
        shape ??= new LeafShape();
        using AsymmetricAlgorithm key = shape.Key ?? ECDsa.Create(ECCurve.NamedCurves.nistP256);
        CertificateRequest request = Request(name, key, shape.IsAuthority, shape.Usage);
        if (shape.Purposes is { } purposes) request.CertificateExtensions.Add(new X509EnhancedKeyUsageExtension([.. purposes], critical: false));
        if (shape.DnsNames.Count > 0)
        {
            var names = new SubjectAlternativeNameBuilder();
            foreach (string dns in shape.DnsNames) names.AddDnsName(dns);
            request.CertificateExtensions.Add(names.Build());
        }
        foreach (X509Extension extension in shape.Extensions) request.CertificateExtensions.Add(extension);
        DateTimeOffset now = TimeProvider.System.GetUtcNow();
        using X509Certificate2 signed = Sign(request, shape.NotBefore ?? now.AddHours(-1), shape.NotAfter ?? now.AddDays(90));
        using X509Certificate2 withKey = key is RSA rsa ? signed.CopyWithPrivateKey(rsa) : signed.CopyWithPrivateKey((ECDsa)key);
        return TestCertificates.Exportable(withKey);
    }

    /// <summary>A revocation list of this authority, PEM.</summary>
    public string Revoke(params X509Certificate2[] certificates)
    {
        var builder = new CertificateRevocationListBuilder();
        foreach (X509Certificate2 certificate in certificates) builder.AddEntry(certificate);
        byte[] list = builder.Build(
            Certificate.SubjectName, X509SignatureGenerator.CreateForECDsa(_key), 1, TimeProvider.System.GetUtcNow().AddDays(30), HashAlgorithmName.SHA256,
            X509AuthorityKeyIdentifierExtension.CreateFromSubjectKeyIdentifier(Certificate.Extensions.OfType<X509SubjectKeyIdentifierExtension>().Single()));
        return PemEncoding.WriteString("X509 CRL", list);
    }

    /// <summary>The certificate in a file.</summary>
    public string WriteTo(string directory)
    {
        string path = Path.Combine(directory, $"{Guid.NewGuid():N}.pem");
        File.WriteAllText(path, Certificate.ExportCertificatePem());
        return path;
    }

    public void Dispose()
    {
        Certificate.Dispose();
        _key.Dispose();
    }

    private X509Certificate2 Sign(CertificateRequest request, DateTimeOffset notBefore, DateTimeOffset notAfter)
    {
        request.CertificateExtensions.Add(X509AuthorityKeyIdentifierExtension.CreateFromSubjectKeyIdentifier(
            Certificate.Extensions.OfType<X509SubjectKeyIdentifierExtension>().Single()));
        byte[] serial = RandomNumberGenerator.GetBytes(16);
        serial[0] &= 0x7f;
        return request.Create(Certificate.SubjectName, X509SignatureGenerator.CreateForECDsa(_key), notBefore, notAfter, serial);
    }

    private static CertificateRequest Request(string name, AsymmetricAlgorithm key, bool isAuthority, X509KeyUsageFlags usage)
    {
        CertificateRequest request = key is RSA rsa
            ? new CertificateRequest($"CN={name}", rsa, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1)
            : new CertificateRequest($"CN={name}", (ECDsa)key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(isAuthority, false, 0, critical: true));
        if (usage != X509KeyUsageFlags.None) request.CertificateExtensions.Add(new X509KeyUsageExtension(usage, critical: true));
        request.CertificateExtensions.Add(new X509SubjectKeyIdentifierExtension(request.PublicKey, critical: false));
        return request;
    }
}
