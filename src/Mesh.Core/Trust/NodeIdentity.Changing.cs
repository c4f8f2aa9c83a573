using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using EventMesh.Identity;
using EventMesh.Trust.Internal;

namespace EventMesh.Trust;

/// <summary>Another key or certificate for a node that does not run: the caller holds its data directory.</summary>
public sealed partial class NodeIdentity
{
    /// <summary>
    /// Replaces the node's key by a new one and its certificate by a self-signed one. Both keys sign a statement of it, which the node shows its peers:
    /// to them it stays the same peer.
    /// </summary>
    /// <param name="directory">The data directory.</param>
    /// <param name="time">The clock.</param>
    /// <exception cref="MeshException"><see cref="MeshError.DataDirectoryUnusable"/>: there is no identity yet, or a file can't be read or written.</exception>
    public static NodeIdentity Rotate(string directory, TimeProvider time)
    {
        ArgumentNullException.ThrowIfNull(time);
        return Guard(directory, files =>
        {
            using IdentityKey? old = files.ReadKey();
            if (old is null) throw new MeshException(MeshError.DataDirectoryUnusable, $"There is no identity in '{directory}' to rotate: a node makes one at its first start.");
            using IdentityKey key = IdentityKey.Create();
            Replace(files, old, key, [SelfSign(key, time.GetUtcNow())], time);
            return Load(files, files.ReadOrCreateNode(), key, time);
        });
    }

    /// <summary>
    /// Takes over a certificate of an authority. With the key that the node has, it is renewed; with another one the key is rotated, and the node stays the
    /// same peer to those who see the statement that both keys have signed.
    /// </summary>
    /// <param name="directory">The data directory; made when it is missing.</param>
    /// <param name="certificatePem">The certificate, then the authorities above it, PEM; a root may be left out.</param>
    /// <param name="keyPem">The certificate's private key, PEM; null for the node's own.</param>
    /// <param name="keepsHistory">Whether to stay the same peer when the key is another one.</param>
    /// <param name="time">The clock.</param>
    /// <exception cref="MeshException">
    /// <see cref="MeshError.InvalidConfiguration"/>: certificate or key can't be used; <see cref="MeshError.DataDirectoryUnusable"/>: a file of the directory
    /// can't be read or written.
    /// </exception>
    public static NodeIdentity Import(string directory, string certificatePem, string? keyPem, bool keepsHistory, TimeProvider time)
    {
        ArgumentNullException.ThrowIfNull(time);
        X509Certificate2[] chain = ReadChain(certificatePem);
        return Guard(directory, files =>
        {
            using IdentityKey? old = files.ReadKey();
            using IdentityKey? given = keyPem is null ? null : ReadKey(keyPem);
            IdentityKey key = given ?? old
                ?? throw new MeshException(MeshError.InvalidConfiguration, "The node has no key yet: give the one of the certificate too (--key).");
            if (!key.Owns(chain[0]))
            {
                throw new MeshException(
                    MeshError.InvalidConfiguration, $"The first certificate, '{chain[0].Subject}', is not of {(given is null ? "the node's key" : "the key given")}.");
            }
            if (new DateTimeOffset(chain[0].NotAfter) < time.GetUtcNow())
                throw new MeshException(MeshError.InvalidConfiguration, $"The certificate '{chain[0].Subject}' has expired at {chain[0].NotAfter.ToUniversalTime():u}.");
            NodeId node = files.ReadOrCreateNode();
            if (old is not null && old.PublicKeyInfo.AsSpan().SequenceEqual(key.PublicKeyInfo))
            {
                IdentityFiles.WriteDurably(files.Certificate, IdentityFiles.ToPem(chain));
            }
            else
            {
                if (!keepsHistory) File.Delete(files.Succession);
                Replace(files, keepsHistory ? old : null, key, chain, time);
            }
            return Load(files, node, key, time);
        });
    }

    /// <summary>Writes the statement first and the key then: a crash between the two leaves the old key and a statement that nobody has seen.</summary>
    private static void Replace(IdentityFiles files, IdentityKey? old, IdentityKey key, X509Certificate2[] chain, TimeProvider time)
    {
        if (old is not null)
        {
            IReadOnlyList<KeySuccession> before = files.ReadSuccession(PeerId.FromPublicKey(old.PublicKeyInfo));
            KeySuccession statement = KeySuccession.Sign(old, key, before.Count == 0 ? 1 : before[^1].Sequence + 1, time.GetUtcNow());
            IdentityFiles.WriteDurably(files.Succession, KeySuccessionCodec.ToPem([.. before, statement]));
        }
        // Without a certificate the next start makes one; with one of another key it would refuse to start.
        File.Delete(files.Certificate);
        IdentityFiles.WriteDurably(files.Key, key.ExportPem());
        IdentityFiles.WriteDurably(files.Certificate, IdentityFiles.ToPem(chain));
    }

    private static X509Certificate2[] ReadChain(string pem)
    {
        X509Certificate2Collection all = [];
        try
        {
            all.ImportFromPem(pem);
        }
        catch (CryptographicException e)
        {
            throw new MeshException(MeshError.InvalidConfiguration, $"The certificates can't be read: {e.Message}", e);
        }
        if (all.Count == 0) throw new MeshException(MeshError.InvalidConfiguration, "There is no certificate in PEM (CERTIFICATE).");
        if (!CertificateJudge.IsWellSized([.. all.Select(one => one.RawDataMemory)]))
            throw new MeshException(MeshError.InvalidConfiguration, $"A chain has at most {CertificateJudge.MaxChain} certificates and {CertificateJudge.MaxChainBytes} bytes.");
        // Peers have the root, or do not trust it: sending it along helps nobody.
        return [.. all.Where((certificate, i) => i == 0 || !IsSelfSigned(certificate))];
    }

    private static IdentityKey ReadKey(string pem)
    {
        try
        {
            return IdentityKey.FromPem(pem);
        }
        catch (CryptographicException e)
        {
            throw new MeshException(MeshError.InvalidConfiguration, $"The private key can't be used. {e.Message}", e);
        }
    }
}
