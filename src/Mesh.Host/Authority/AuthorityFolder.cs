using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using EventMesh.Host.Control;

namespace EventMesh.Host.Authority;

/// <summary>The folder of an authority, held by one command at a time. Keys are readable by their owner only.</summary>
internal sealed class AuthorityFolder : IDisposable
{
    private const UnixFileMode OwnerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite;
    private const UnixFileMode AllRead = OwnerOnly | UnixFileMode.GroupRead | UnixFileMode.OtherRead;

    private static readonly JsonSerializerOptions Json = new(ControlJson.Options) { WriteIndented = true };

    private readonly FileStream _lock;

    private AuthorityFolder(string path, FileStream held)
    {
        Path = path;
        _lock = held;
    }

    public string Path { get; }

    public string Index => File("ca.json");

    public string RootCertificate => File("root.crt");

    public string RootKey => File("root.key");

    public string IntermediateCertificate => File("intermediate.crt");

    public string IntermediateKey => File("intermediate.key");

    public string RevocationList => File("revoked.crl");

    public string Issued => File("issued");

    /// <summary>Opens the folder, and makes it when told so.</summary>
    /// <exception cref="MeshException">There is none, or it is in use or can't be used.</exception>
    public static AuthorityFolder Open(string path, bool create)
    {
        string full = System.IO.Path.GetFullPath(path);
        if (!create && !System.IO.File.Exists(System.IO.Path.Combine(full, "ca.json")))
            throw new MeshException(MeshError.InvalidConfiguration, $"There is no authority in '{full}'. Make one with `mesh ca init --ca {path}`, or name its folder with --ca.");
        try
        {
            if (OperatingSystem.IsWindows()) Directory.CreateDirectory(full);
            else Directory.CreateDirectory(full, OwnerOnly | UnixFileMode.UserExecute);
            return new AuthorityFolder(full, new FileStream(System.IO.Path.Combine(full, ".lock"), FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None, 1));
        }
        catch (UnauthorizedAccessException e)
        {
            throw new MeshException(MeshError.DataDirectoryUnusable, $"The folder '{full}' can't be used: {e.Message}", e);
        }
        catch (IOException e) when (Directory.Exists(full))
        {
            throw new MeshException(MeshError.DataDirectoryLocked, $"Another command uses the authority in '{full}'. Wait until it has ended.", e);
        }
        catch (IOException e)
        {
            throw new MeshException(MeshError.DataDirectoryUnusable, $"The folder '{full}' can't be made: {e.Message}", e);
        }
    }

    public AuthorityIndex ReadIndex()
    {
        try
        {
            AuthorityIndex? index = JsonSerializer.Deserialize<AuthorityIndex>(System.IO.File.ReadAllText(Index), Json);
            return index is { Version: 1 } ? index : throw new JsonException("It is of another version.");
        }
        catch (JsonException e)
        {
            throw new MeshException(MeshError.DataDirectoryUnusable, $"'{Index}' can't be read: {e.Message}", e);
        }
    }

    public void WriteIndex(AuthorityIndex index) => WritePublic(Index, JsonSerializer.Serialize(index, Json) + "\n");

    /// <summary>Reads a private key.</summary>
    /// <exception cref="MeshException"><see cref="MeshError.DataDirectoryUnusable"/>: it is missing, malformed, or others can read it.</exception>
    public static ECDsa ReadKey(string path)
    {
        if (!System.IO.File.Exists(path))
            throw new MeshException(MeshError.DataDirectoryUnusable, $"The key '{path}' is missing. If it is kept elsewhere, put it there for as long as it is needed.");
        if (!OperatingSystem.IsWindows() && (System.IO.File.GetUnixFileMode(path) & ~OwnerOnly) != UnixFileMode.None)
            throw new MeshException(MeshError.DataDirectoryUnusable, $"Other users can read the key '{path}'. Make it private: chmod 600 '{path}'");
        ECDsa key = ECDsa.Create();
        try
        {
            key.ImportFromPem(System.IO.File.ReadAllText(path));
            return key;
        }
        catch (Exception e) when (e is CryptographicException or ArgumentException)
        {
            key.Dispose();
            throw new MeshException(MeshError.DataDirectoryUnusable, $"The key '{path}' can't be read: {e.Message}", e);
        }
    }

    /// <summary>Writes a private key, readable by its owner only.</summary>
    public static void WriteKey(string path, AsymmetricAlgorithm key) => Write(path, key.ExportPkcs8PrivateKeyPem() + "\n", OwnerOnly);

    /// <summary>Writes what everybody may read.</summary>
    public static void WritePublic(string path, string content) => Write(path, content, AllRead);

    public void Dispose() => _lock.Dispose();

    /// <summary>Whole or not at all, synced to disk.</summary>
    private static void Write(string path, string content, UnixFileMode mode)
    {
        string temporary = path + ".new";
        var options = new FileStreamOptions { Mode = FileMode.Create, Access = FileAccess.Write, Share = FileShare.None };
        if (!OperatingSystem.IsWindows()) options.UnixCreateMode = mode;
        using (var file = new FileStream(temporary, options))
        {
            file.Write(Encoding.UTF8.GetBytes(content));
            file.Flush(flushToDisk: true);
        }
        System.IO.File.Move(temporary, path, overwrite: true);
    }

    private string File(string name) => System.IO.Path.Combine(Path, name);
}
