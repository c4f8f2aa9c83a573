using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using EventMesh.Identity;

namespace EventMesh.Trust.Internal;

/// <summary>The files of a node's identity in its data directory.</summary>
internal sealed class IdentityFiles(string directory)
{
    private const UnixFileMode OwnerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite;

    public string Node { get; } = Path.Combine(directory, "node-id");

    public string Key { get; } = Path.Combine(directory, "identity.key");

    /// <summary>The node's certificate, then the authorities above it.</summary>
    public string Certificate { get; } = Path.Combine(directory, "identity.crt");

    /// <summary>How the node came to its key, the oldest change first.</summary>
    public string Succession { get; } = Path.Combine(directory, "identity.succession");

    public NodeId ReadOrCreateNode()
    {
        if (File.Exists(Node)) return NodeId.Parse(File.ReadAllText(Node).Trim());
        var node = new NodeId(Guid.NewGuid());
        WriteDurably(Node, node + "\n");
        return node;
    }

    /// <exception cref="MeshException"><see cref="MeshError.DataDirectoryUnusable"/>: others can read the key.</exception>
    public IdentityKey? ReadKey()
    {
        if (!File.Exists(Key)) return null;
        if (!OperatingSystem.IsWindows() && (File.GetUnixFileMode(Key) & ~OwnerOnly) != UnixFileMode.None)
        {
            throw new MeshException(
                MeshError.DataDirectoryUnusable, $"Other users can read the node's key '{Key}'. Make it private: chmod 600 '{Key}'");
        }
        return IdentityKey.FromPem(File.ReadAllText(Key));
    }

    /// <summary>The certificates, the node's own first; empty without a file.</summary>
    public X509Certificate2Collection ReadCertificates()
    {
        X509Certificate2Collection all = [];
        if (File.Exists(Certificate)) all.ImportFromPemFile(Certificate);
        return all;
    }

    /// <summary>
    /// The changes that lead to a key. Later ones are of a rotation that broke off before the key was replaced: nobody has seen them.
    /// </summary>
    public IReadOnlyList<KeySuccession> ReadSuccession(PeerId current)
    {
        if (!File.Exists(Succession)) return [];
        List<KeySuccession> all = [.. KeySuccessionCodec.FromPem(File.ReadAllText(Succession))];
        return [.. all.Take(all.FindLastIndex(statement => statement.Successor == current) + 1)];
    }

    public static string ToPem(IEnumerable<X509Certificate2> certificates) =>
        string.Concat(certificates.Select(certificate => certificate.ExportCertificatePem() + "\n"));

    /// <summary>Writes a file whole or not at all, readable by its owner only, synced to disk.</summary>
    public static void WriteDurably(string path, string content)
    {
        string temporary = path + ".new";
        var options = new FileStreamOptions { Mode = FileMode.Create, Access = FileAccess.Write, Share = FileShare.None };
        if (!OperatingSystem.IsWindows()) options.UnixCreateMode = OwnerOnly;
        byte[] bytes = Encoding.UTF8.GetBytes(content);
        try
        {
            using var file = new FileStream(temporary, options);
            file.Write(bytes);
            file.Flush(flushToDisk: true);
        }
        finally
        {
            CryptographicOperations.ZeroMemory(bytes);
        }
        File.Move(temporary, path, overwrite: true);
    }
}
