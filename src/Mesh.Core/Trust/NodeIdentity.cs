using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using EventMesh.Identity;
using EventMesh.Trust.Internal;

namespace EventMesh.Trust;

/// <summary>
/// The node's key and certificate. Made at first start, ECDSA P-256 with a self-signed certificate that is renewed on the same key, so that the
/// node stays the same peer; or imported.
/// </summary>
public sealed partial class NodeIdentity : IDisposable
{
    private static readonly TimeSpan Validity = TimeSpan.FromDays(5 * 365);
    private static readonly TimeSpan RenewBefore = TimeSpan.FromDays(30);

    private NodeIdentity(
        NodeId node, IdentityKey key, X509Certificate2 certificate, IReadOnlyList<X509Certificate2> intermediates, IReadOnlyList<KeySuccession> succession)
    {
        Node = node;
        Certificate = certificate;
        Intermediates = intermediates;
        Succession = succession;
        KeyAlgorithm = key.Algorithm;
        Peer = PeerId.FromCertificate(certificate);
        byte[] secret = key.Export();
        StatelessResetKey = HKDF.DeriveKey(HashAlgorithmName.SHA256, secret, 32, info: "eventmesh stateless reset"u8.ToArray());
        CryptographicOperations.ZeroMemory(secret);
    }

    /// <summary>The log's tenant.</summary>
    public NodeId Node { get; }

    /// <summary>The node's identity to others.</summary>
    public PeerId Peer { get; }

    /// <summary>The key's algorithm: <c>ecdsa-p256</c>, <c>ecdsa-p384</c> or <c>rsa</c>.</summary>
    public string KeyAlgorithm { get; }

    /// <summary>The certificate with its private key.</summary>
    public X509Certificate2 Certificate { get; }

    /// <summary>The authorities between the certificate and its root, the issuer of the certificate first; none for a self-signed one.</summary>
    public IReadOnlyList<X509Certificate2> Intermediates { get; }

    /// <summary>How the node came to its key, the oldest change first; empty when it never had another.</summary>
    public IReadOnlyList<KeySuccession> Succession { get; }

    /// <summary>The key of stateless resets, derived from the node's key (RFC 9000 10.3.2).</summary>
    public ReadOnlyMemory<byte> StatelessResetKey { get; }

    /// <summary>Reads the identity of a data directory, or makes it at first start.</summary>
    /// <exception cref="MeshException"><see cref="MeshError.DataDirectoryUnusable"/>: a file is malformed, or others can read the key.</exception>
    public static NodeIdentity LoadOrCreate(string directory, TimeProvider time)
    {
        ArgumentNullException.ThrowIfNull(time);
        return Guard(directory, files =>
        {
            NodeId node = files.ReadOrCreateNode();
            IdentityKey? key = files.ReadKey();
            if (key is null)
            {
                key = IdentityKey.Create();
                IdentityFiles.WriteDurably(files.Key, key.ExportPem());
            }
            using (key) return Load(files, node, key, time);
        });
    }

    /// <summary>Reads the identity of a data directory and changes nothing; null when it has none yet.</summary>
    /// <exception cref="MeshException"><see cref="MeshError.DataDirectoryUnusable"/>: a file is malformed, or others can read the key.</exception>
    public static NodeIdentity? Load(string directory, TimeProvider time)
    {
        ArgumentNullException.ThrowIfNull(time);
        return Guard(directory, files =>
        {
            if (!File.Exists(files.Node)) return null;
            using IdentityKey? key = files.ReadKey();
            return key is null || !File.Exists(files.Certificate) ? null : Load(files, files.ReadOrCreateNode(), key, time, mayRenew: false);
        });
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        Certificate.Dispose();
        foreach (X509Certificate2 intermediate in Intermediates) intermediate.Dispose();
    }

    private static NodeIdentity Load(IdentityFiles files, NodeId node, IdentityKey key, TimeProvider time, bool mayRenew = true)
    {
        X509Certificate2Collection stored = files.ReadCertificates();
        IReadOnlyList<KeySuccession> succession = files.ReadSuccession(PeerId.FromPublicKey(key.PublicKeyInfo));
        DateTimeOffset now = time.GetUtcNow();
        if (stored.Count > 0)
        {
            X509Certificate2 own = stored[0];
            if (!IsSelfSigned(own))
            {
                // Only its authority can renew it, and only the operator knows which file is the wrong one.
                if (!key.Owns(own)) throw new CryptographicException($"The certificate '{files.Certificate}' is not of the key '{files.Key}'.");
                return new NodeIdentity(node, key, key.Attach(own), [.. stored.Skip(1)], succession);
            }
            if (key.Owns(own) && !mayRenew) return new NodeIdentity(node, key, key.Attach(own), [], succession);
            if (key.Owns(own) && new DateTimeOffset(own.NotBefore) <= now && new DateTimeOffset(own.NotAfter) > now + RenewBefore)
                return new NodeIdentity(node, key, key.Attach(own), [], succession);
        }
        X509Certificate2 certificate = SelfSign(key, now);
        IdentityFiles.WriteDurably(files.Certificate, IdentityFiles.ToPem([certificate]));
        return new NodeIdentity(node, key, certificate, [], succession);
    }

    private static X509Certificate2 SelfSign(IdentityKey key, DateTimeOffset now)
    {
        CertificateRequest request = key.Request($"CN={PeerId.FromPublicKey(key.PublicKeyInfo)}");
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(certificateAuthority: false, false, 0, critical: true));
        request.CertificateExtensions.Add(new X509KeyUsageExtension(X509KeyUsageFlags.DigitalSignature, critical: true));
        request.CertificateExtensions.Add(new X509EnhancedKeyUsageExtension(
            [new Oid("1.3.6.1.5.5.7.3.1", "serverAuth"), new Oid("1.3.6.1.5.5.7.3.2", "clientAuth")], critical: false));
        // A day back, for peers whose clock is behind.
        return request.CreateSelfSigned(now.AddDays(-1), now + Validity);
    }

    private static bool IsSelfSigned(X509Certificate2 certificate) =>
        certificate.SubjectName.RawData.AsSpan().SequenceEqual(certificate.IssuerName.RawData);

    private static T Guard<T>(string directory, Func<IdentityFiles, T> work)
    {
        try
        {
            return work(new IdentityFiles(directory));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or CryptographicException or FormatException)
        {
            throw new MeshException(MeshError.DataDirectoryUnusable, $"The identity in '{directory}' can't be read: {e.Message}", e);
        }
    }
}
