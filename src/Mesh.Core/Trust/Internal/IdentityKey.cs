using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace EventMesh.Trust.Internal;

/// <summary>A node's private key: RSA of 2,048 to 8,192 bits, P-256 or P-384.</summary>
internal sealed class IdentityKey : IDisposable
{
    private readonly AsymmetricAlgorithm _key;

    private IdentityKey(AsymmetricAlgorithm key)
    {
        _key = key;
        PublicKeyInfo = key.ExportSubjectPublicKeyInfo();
    }

    /// <summary>The public key, DER.</summary>
    public byte[] PublicKeyInfo { get; }

    /// <summary>The algorithm's name in the log.</summary>
    public string Algorithm => KeyStrength.NameOf(_key);

    /// <summary>Makes a P-256 key.</summary>
    public static IdentityKey Create() => new(ECDsa.Create(ECCurve.NamedCurves.nistP256));

    /// <summary>Reads a key in PEM.</summary>
    /// <exception cref="CryptographicException">It is none, is encrypted, or is too weak.</exception>
    public static IdentityKey FromPem(string text)
    {
        if (text.Contains("BEGIN ENCRYPTED PRIVATE KEY", StringComparison.Ordinal) || text.Contains("Proc-Type: 4,ENCRYPTED", StringComparison.Ordinal))
            throw new CryptographicException("The key is encrypted. Decrypt it first, for instance: openssl pkey -in key.pem -out plain.pem");
        AsymmetricAlgorithm key = Import(text, ECDsa.Create()) ?? Import(text, RSA.Create())
            ?? throw new CryptographicException("It holds no private key of RSA, P-256 or P-384 in PEM (PRIVATE KEY, EC PRIVATE KEY or RSA PRIVATE KEY).");
        if (KeyStrength.Weakness(key) is not { } weakness) return new IdentityKey(key);
        key.Dispose();
        throw new CryptographicException($"The key is {weakness}. RSA of 2,048 to 8,192 bits, P-256 and P-384 do.");
    }

    /// <summary>Whether a certificate is of this key.</summary>
    public bool Owns(X509Certificate2 certificate) => certificate.PublicKey.ExportSubjectPublicKeyInfo().AsSpan().SequenceEqual(PublicKeyInfo);

    /// <summary>The certificate with this key.</summary>
    public X509Certificate2 Attach(X509Certificate2 certificate) =>
        _key is RSA rsa ? certificate.CopyWithPrivateKey(rsa) : certificate.CopyWithPrivateKey((ECDsa)_key);

    /// <summary>A request for a certificate, for any subject.</summary>
    public CertificateRequest Request(string subject) => _key is RSA rsa
        ? new CertificateRequest(subject, rsa, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1)
        : new CertificateRequest(subject, (ECDsa)_key, HashOf(_key));

    /// <summary>Signs: ECDSA in DER with the hash of its size, RSA-PSS with SHA-256.</summary>
    public byte[] Sign(byte[] data) => Sign(_key, data);

    /// <summary>Signs with a key that is held elsewhere.</summary>
    public static byte[] Sign(AsymmetricAlgorithm key, byte[] data) => key is RSA rsa
        ? rsa.SignData(data, HashAlgorithmName.SHA256, RSASignaturePadding.Pss)
        : ((ECDsa)key).SignData(data, HashOf(key), DSASignatureFormat.Rfc3279DerSequence);

    /// <summary>Whether a signature of <see cref="Sign(byte[])"/> is true; false also for keys that are not taken.</summary>
    public static bool Verify(byte[] publicKeyInfo, byte[] data, byte[] signature)
    {
        try
        {
            using AsymmetricAlgorithm key = ImportPublic(publicKeyInfo);
            if (KeyStrength.Weakness(key) is not null) return false;
            return key is RSA rsa
                ? rsa.VerifyData(data, signature, HashAlgorithmName.SHA256, RSASignaturePadding.Pss)
                : ((ECDsa)key).VerifyData(data, signature, HashOf(key), DSASignatureFormat.Rfc3279DerSequence);
        }
        catch (CryptographicException)
        {
            return false;
        }
    }

    /// <summary>The key in PKCS#8, DER; the caller clears it.</summary>
    public byte[] Export() => _key.ExportPkcs8PrivateKey();

    /// <summary>The key in PKCS#8, PEM.</summary>
    public string ExportPem() => _key.ExportPkcs8PrivateKeyPem() + "\n";

    public void Dispose() => _key.Dispose();

    private static AsymmetricAlgorithm? Import(string text, AsymmetricAlgorithm into)
    {
        try
        {
            into.ImportFromPem(text);
            return into;
        }
        catch (Exception e) when (e is CryptographicException or ArgumentException)
        {
            into.Dispose();
            return null;
        }
    }

    private static AsymmetricAlgorithm ImportPublic(byte[] publicKeyInfo)
    {
        ECDsa ecdsa = ECDsa.Create();
        try
        {
            ecdsa.ImportSubjectPublicKeyInfo(publicKeyInfo, out _);
            return ecdsa;
        }
        catch (CryptographicException)
        {
            ecdsa.Dispose();
        }
        RSA rsa = RSA.Create();
        try
        {
            rsa.ImportSubjectPublicKeyInfo(publicKeyInfo, out _);
            return rsa;
        }
        catch
        {
            rsa.Dispose();
            throw;
        }
    }

    private static HashAlgorithmName HashOf(AsymmetricAlgorithm key) => key.KeySize > 256 && key is ECDsa ? HashAlgorithmName.SHA384 : HashAlgorithmName.SHA256;
}
