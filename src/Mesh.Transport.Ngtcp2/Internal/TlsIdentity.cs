using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;

namespace EventMesh.Transport.Ngtcp2.Internal;

/// <summary>What an endpoint shows in its handshakes: a certificate and the key that signs.</summary>
internal sealed class TlsIdentity
{
    private readonly string? _chain;
    private readonly AsymmetricAlgorithm? _key;
    private readonly bool _matchKey;

    private TlsIdentity(string? chain, AsymmetricAlgorithm? key, int chainBytes, bool matchKey)
    {
        _chain = chain;
        _key = key;
        ChainBytes = chainBytes;
        _matchKey = matchKey;
    }

    /// <summary>No certificate at all.</summary>
    public static TlsIdentity None { get; } = new(null, null, 0, matchKey: true);

    /// <value>The length of the certificates in the handshake, bytes.</value>
    public int ChainBytes { get; }

    /// <summary>The node's own certificate, and the authorities above it.</summary>
    /// <exception cref="ArgumentException">It has no private key that can be exported.</exception>
    public static TlsIdentity FromCertificate(X509Certificate2 certificate, IReadOnlyList<X509Certificate2> intermediates)
    {
        AsymmetricAlgorithm key = (AsymmetricAlgorithm?)certificate.GetECDsaPrivateKey() ?? certificate.GetRSAPrivateKey()
            ?? throw new ArgumentException("The certificate has no ECDSA or RSA private key.", nameof(certificate));
        string chain = string.Join('\n', intermediates.Prepend(certificate).Select(one => one.ExportCertificatePem()));
        return new TlsIdentity(chain, key, certificate.RawDataMemory.Length + intermediates.Sum(one => one.RawDataMemory.Length), matchKey: true);
    }

    /// <summary>Somebody's certificate with a key that is not its own, for tests.</summary>
    public static TlsIdentity Forged(X509Certificate2 certificate, ECDsa key) =>
        new(certificate.ExportCertificatePem(), key, certificate.RawDataMemory.Length, matchKey: false);

    /// <summary>Hands certificate and key to <paramref name="credentials"/>.</summary>
    public void LoadInto(Interop.CredentialsHandle credentials)
    {
        if (_chain is null || _key is null)
            return;
        char[] keyText = ExportKey(_key);
        byte[] keyBytes = Encoding.ASCII.GetBytes(keyText);
        try
        {
            credentials.SetKeyPair(Encoding.ASCII.GetBytes(_chain), keyBytes, _matchKey);
        }
        finally
        {
            CryptographicOperations.ZeroMemory(keyBytes);
            Array.Clear(keyText);
        }
    }

    private static char[] ExportKey(AsymmetricAlgorithm key)
    {
        byte[] pkcs8;
        try
        {
            pkcs8 = key.ExportPkcs8PrivateKey();
        }
        catch (CryptographicException e)
        {
            throw new ArgumentException("The private key of the certificate can't be exported, which GnuTLS needs.", nameof(key), e);
        }
        try
        {
            return PemEncoding.Write("PRIVATE KEY", pkcs8);
        }
        finally
        {
            CryptographicOperations.ZeroMemory(pkcs8);
        }
    }
}
