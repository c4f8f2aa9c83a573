using EventMesh.Marten.Embedded;

namespace EventMesh.Host.Demo;

/// <summary>The demo's temporary folder. What a demo that was killed has left behind is removed by the next one.</summary>
internal sealed class DemoFolder : IAsyncDisposable
{
    private const string Prefix = "eventmesh-demo-";
    private const string LockName = "lock";
    private const string NodeIdName = "node-id";

    private readonly FileStream _lock;

    private DemoFolder(string path, FileStream fileLock)
    {
        Path = path;
        _lock = fileLock;
    }

    /// <summary>Where it is.</summary>
    public string Path { get; }

    /// <summary>Makes the folder, closed to other users, and removes those that nobody holds any more.</summary>
    public static async Task<DemoFolder> CreateAsync(CancellationToken cancellationToken)
    {
        string temp = System.IO.Path.GetTempPath();
        foreach (string left in Directory.GetDirectories(temp, Prefix + "*")) await TryRemoveAsync(left, cancellationToken);
        string path = Directory.CreateTempSubdirectory(Prefix).FullName;
        return new DemoFolder(path, OpenLock(path));
    }

    /// <summary>The folder of a node.</summary>
    public string For(string node) => System.IO.Path.Combine(Path, node);

    public async ValueTask DisposeAsync()
    {
        await _lock.DisposeAsync();
        await TryRemoveAsync(Path, CancellationToken.None);
    }

    private static async Task TryRemoveAsync(string path, CancellationToken cancellationToken)
    {
        try
        {
            // Held while another demo runs.
            await using FileStream fileLock = OpenLock(path);
            foreach (string folder in Directory.GetDirectories(path))
            {
                string data = System.IO.Path.Combine(folder, "data");
                string id = System.IO.Path.Combine(data, NodeIdName);
                // The private server keeps its files elsewhere when it runs as another user than the node.
                if (File.Exists(id)) await PrivatePostgres.RemoveAsync(NodeId.Parse((await File.ReadAllTextAsync(id, cancellationToken)).Trim()), data, cancellationToken);
            }
            Directory.Delete(path, recursive: true);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or MeshException or FormatException)
        {
            // In use, or another user's: the next demo tries again.
        }
    }

    private static FileStream OpenLock(string path) =>
        new(System.IO.Path.Combine(path, LockName), FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
}
