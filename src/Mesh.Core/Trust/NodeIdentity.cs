using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using EventMesh.Identity;

namespace EventMesh.Trust;

/// <summary>
/// The node's key and certificate, made at first start: ECDSA P-256, a self-signed certificate that is renewed on the same key, so that the
/// node stays the same peer.
/// </summary>
public sealed class NodeIdentity : IDisposable
{
    private const string KeyFile = "identity.key";
    private const string CertificateFile = "identity.crt";
    private const string NodeFile = "node-id";
    private const UnixFileMode OwnerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite;

    private static readonly TimeSpan Validity = TimeSpan.FromDays(5 * 365);
    private static readonly TimeSpan RenewBefore = TimeSpan.FromDays(30);

    private NodeIdentity(NodeId node, X509Certificate2 certificate, byte[] statelessResetKey)
    {
        Node = node;
        Certificate = certificate;
        Peer = PeerId.FromCertificate(certificate);
        StatelessResetKey = statelessResetKey;
    }

    /// <summary>The log's tenant.</summary>
    public NodeId Node { get; }

    /// <summary>The node's identity to others.</summary>
    public PeerId Peer { get; }

    /// <summary>The certificate with its private key.</summary>
    public X509Certificate2 Certificate { get; }

    /// <summary>The key of stateless resets, derived from the node's key (RFC 9000 10.3.2).</summary>
    public ReadOnlyMemory<byte> StatelessResetKey { get; }

    /// <summary>Reads the identity of a data directory, or makes it at first start.</summary>
    /// <exception cref="MeshException"><see cref="MeshError.DataDirectoryUnusable"/>: a file is malformed, or others can read the key.</exception>
    public static NodeIdentity LoadOrCreate(string directory, TimeProvider time)
    {
        ArgumentNullException.ThrowIfNull(time);
        try
        {
            NodeId node = LoadOrCreateNodeId(Path.Combine(directory, NodeFile));
            using ECDsa key = LoadOrCreateKey(Path.Combine(directory, KeyFile));
            byte[] secret = key.ExportPkcs8PrivateKey();
            byte[] resetKey = HKDF.DeriveKey(HashAlgorithmName.SHA256, secret, 32, info: "eventmesh stateless reset"u8.ToArray());
            CryptographicOperations.ZeroMemory(secret);
            return new NodeIdentity(node, LoadOrCreateCertificate(Path.Combine(directory, CertificateFile), key, time), resetKey);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or CryptographicException or FormatException)
        {
            throw new MeshException(MeshError.DataDirectoryUnusable, $"The identity in '{directory}' can't be read: {e.Message}", e);
        }
    }

    /// <inheritdoc/>
    public void Dispose() => Certificate.Dispose();

    private static NodeId LoadOrCreateNodeId(string path)
    {
        if (File.Exists(path)) return NodeId.Parse(File.ReadAllText(path).Trim());
        var node = new NodeId(Guid.NewGuid());
        WriteDurably(path, Encoding.ASCII.GetBytes(node + "\n"));
        return node;
    }

    private static ECDsa LoadOrCreateKey(string path)
    {
        if (!File.Exists(path))
        {
            ECDsa made = ECDsa.Create(ECCurve.NamedCurves.nistP256);
            WriteDurably(path, Encoding.ASCII.GetBytes(made.ExportPkcs8PrivateKeyPem() + "\n"));
            return made;
        }
        if (!OperatingSystem.IsWindows() && (File.GetUnixFileMode(path) & ~OwnerOnly) != UnixFileMode.None)
        {
            throw new MeshException(
                MeshError.DataDirectoryUnusable, $"Other users can read the node's key '{path}'. Make it private: chmod 600 '{path}'");
        }
        ECDsa key = ECDsa.Create();
        key.ImportFromPem(File.ReadAllText(path));
        return key;
    }

    private static X509Certificate2 LoadOrCreateCertificate(string path, ECDsa key, TimeProvider time)
    {
        DateTimeOffset now = time.GetUtcNow();
        if (File.Exists(path))
        {
            using X509Certificate2 stored = X509CertificateLoader.LoadCertificateFromFile(path);
            bool isOurs = stored.PublicKey.ExportSubjectPublicKeyInfo().AsSpan().SequenceEqual(key.ExportSubjectPublicKeyInfo());
            if (isOurs && stored.NotBefore <= now.LocalDateTime && stored.NotAfter > (now + RenewBefore).LocalDateTime) return stored.CopyWithPrivateKey(key);
        }
        PeerId peer = PeerId.FromPublicKey(key.ExportSubjectPublicKeyInfo());
        var request = new CertificateRequest($"CN={peer}", key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(certificateAuthority: false, false, 0, critical: true));
        request.CertificateExtensions.Add(new X509KeyUsageExtension(X509KeyUsageFlags.DigitalSignature, critical: true));
        request.CertificateExtensions.Add(new X509EnhancedKeyUsageExtension(
            [new Oid("1.3.6.1.5.5.7.3.1", "serverAuth"), new Oid("1.3.6.1.5.5.7.3.2", "clientAuth")], critical: false));
        // A day back, for peers whose clock is behind.
        X509Certificate2 certificate = request.CreateSelfSigned(now.AddDays(-1), now + Validity);
        WriteDurably(path, Encoding.ASCII.GetBytes(certificate.ExportCertificatePem() + "\n"));
        return certificate;
    }

    /// <summary>Writes a file whole or not at all, readable by its owner only, synced to disk.</summary>
    private static void WriteDurably(string path, byte[] content)
    {
        string temporary = path + ".new";
        var options = new FileStreamOptions { Mode = FileMode.Create, Access = FileAccess.Write, Share = FileShare.None };
        if (!OperatingSystem.IsWindows()) options.UnixCreateMode = OwnerOnly;
        using (var file = new FileStream(temporary, options))
        {
            file.Write(content);
            file.Flush(flushToDisk: true);
        }
        File.Move(temporary, path, overwrite: true);
    }
}
