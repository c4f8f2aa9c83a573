using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace EventMesh.Host.Authority;

/// <summary>An authority's certificate and key.</summary>
/// <param name="Certificate">The certificate, without its key.</param>
/// <param name="Key">The key.</param>
internal sealed record Issuer(X509Certificate2 Certificate, ECDsa Key) : IDisposable
{
    public void Dispose()
    {
        Certificate.Dispose();
        Key.Dispose();
    }
}
