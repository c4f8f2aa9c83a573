using System.Security.Cryptography;
using System.Text;
using EventMesh.Identity;

namespace EventMesh.Marten.Embedded.Internal;

/// <summary>Decides where a node's private server lives.</summary>
internal static class Locations
{
    /// <summary>The longest path of a Unix socket: <c>sun_path</c> less its final zero.</summary>
    public const int MaxSocketPath = 107;

    private const string SocketName = "/.s.PGSQL.5432";
    private const string StateRoot = "/var/lib/eventmesh";
    private const string RuntimeRoot = "/run/eventmesh";

    public static PrivatePostgresLocation Locate(NodeId node, string dataDirectory)
    {
        string full = Path.TrimEndingDirectorySeparator(Path.GetFullPath(dataDirectory));
        return !OperatingSystem.IsWindows() && Environment.IsPrivilegedProcess ? ForRoot(node, full) : ForUser(node, full);
    }

    // Root's folders are closed to the server's user, so the cluster can't be in the data directory. The name carries both: a copied data
    // directory must not find the original's cluster, nor one node another's.
    private static PrivatePostgresLocation ForRoot(NodeId node, string dataDirectory)
    {
        string name = $"{node.Value:N}-{Hash(dataDirectory)}";
        return new(Path.Combine(StateRoot, name), Path.Combine(RuntimeRoot, name), UnixAccount.ForServer().Name);
    }

    internal static PrivatePostgresLocation ForUser(NodeId node, string dataDirectory)
    {
        string directory = Path.Combine(dataDirectory, "postgres");
        return new(directory, SocketDirectory(directory, node), User: null);
    }

    private static string SocketDirectory(string directory, NodeId node)
    {
        string near = Path.Combine(directory, "socket");
        string name = $"eventmesh-{node.Value:N}-{Hash(directory)}";
        string[] candidates =
        [
            near, Path.Combine(Environment.GetEnvironmentVariable("XDG_RUNTIME_DIR") ?? near, name), Path.Combine(Path.GetTempPath(), name), "/tmp/" + name,
        ];
        return candidates.First(path => Encoding.UTF8.GetByteCount(path + SocketName) <= MaxSocketPath);
    }

    private static string Hash(string path) => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(path)).AsSpan(0, 6));
}
