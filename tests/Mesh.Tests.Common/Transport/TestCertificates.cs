using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace EventMesh.Tests;

/// <summary>Certificates as a node makes them for itself: ECDSA P-256, digitalSignature, client and server.</summary>
public static class TestCertificates
{
    private static readonly Oid ServerAuthentication = new("1.3.6.1.5.5.7.3.1");
    private static readonly Oid ClientAuthentication = new("1.3.6.1.5.5.7.3.2");

    /// <summary>A self-signed certificate with an exportable key.</summary>
    /// <param name="name">The common name.</param>
    /// <param name="notBefore">The start of its validity; an hour ago by default.</param>
    /// <param name="notAfter">The end of its validity; in a year by default.</param>
    public static X509Certificate2 Create(string name = "node", DateTimeOffset? notBefore = null, DateTimeOffset? notAfter = null)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        CertificateRequest request = Request(name, key);
        DateTimeOffset now = TimeProvider.System.GetUtcNow();
        using X509Certificate2 certificate = request.CreateSelfSigned(notBefore ?? now.AddHours(-1), notAfter ?? now.AddYears(1));
        return Exportable(certificate);
    }

    /// <summary>The request for a node's certificate, for tests that sign it with an authority of their own.</summary>
    public static CertificateRequest Request(string name, ECDsa key)
    {
        var request = new CertificateRequest($"CN={name}", key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(false, false, 0, critical: true));
        request.CertificateExtensions.Add(new X509KeyUsageExtension(X509KeyUsageFlags.DigitalSignature, critical: true));
        request.CertificateExtensions.Add(new X509EnhancedKeyUsageExtension([ServerAuthentication, ClientAuthentication], critical: false));
        return request;
    }

    /// <summary>The same certificate with a key that every provider can read.</summary>
    public static X509Certificate2 Exportable(X509Certificate2 certificate) =>
        X509CertificateLoader.LoadPkcs12(certificate.Export(X509ContentType.Pkcs12), null, X509KeyStorageFlags.Exportable);
}
