using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Text;

namespace EventMesh.Host.Control;

/// <summary>The Unix socket at which a running node takes commands: where it is, and how it is bound.</summary>
internal static class ControlSocket
{
    /// <summary>The socket's name in the data directory.</summary>
    public const string FileName = "mesh.sock";

    /// <summary>The longest path of a Unix socket on Linux, in bytes: <c>sun_path</c> has 108 with the final zero (unix(7)).</summary>
    public const int MaxPathBytes = 107;

    // Not the runtime directory or TMPDIR of the environment: a service and its operator's shell have different ones, and must agree.
    private const string FallbackRoot = "/tmp";

    /// <summary>
    /// The socket's path: in the data directory, or where that is too long in a folder of its own under <c>/tmp</c>, named after a hash of the data directory.
    /// The same for the node and its clients.
    /// </summary>
    public static string GetPath(string dataDirectory)
    {
        string full = Path.TrimEndingDirectorySeparator(Path.GetFullPath(dataDirectory));
        string path = Path.Combine(full, FileName);
        if (Encoding.UTF8.GetByteCount(path) <= MaxPathBytes) return path;
        string hash = Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(full)).AsSpan(0, 8));
        return Path.Combine(FallbackRoot, string.Create(CultureInfo.InvariantCulture, $"eventmesh-{hash}"), FileName);
    }

    /// <summary>
    /// Binds the socket with mode 0600. A file that a killed predecessor left is replaced: the caller holds the directory's lock, so nobody
    /// serves it.
    /// </summary>
    /// <exception cref="MeshException"><see cref="MeshError.DataDirectoryUnusable"/>: the socket can't be made there.</exception>
    public static Socket Bind(EndPoint endPoint)
    {
        string path = endPoint.ToString() ?? throw new ArgumentException("Not a path.", nameof(endPoint));
        Socket socket = new(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        try
        {
            string folder = Path.GetDirectoryName(path)!;
            if (OperatingSystem.IsWindows()) Directory.CreateDirectory(folder);
            else Directory.CreateDirectory(folder, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
            File.Delete(path);
            socket.Bind(endPoint);
            // The folder is closed to others, so nobody has got in between.
            if (!OperatingSystem.IsWindows()) File.SetUnixFileMode(path, UnixFileMode.UserRead | UnixFileMode.UserWrite);
            return socket;
        }
        catch (Exception e) when (e is SocketException or IOException or UnauthorizedAccessException)
        {
            socket.Dispose();
            throw new MeshException(
                MeshError.DataDirectoryUnusable, $"The control socket {path} can't be made: {e.Message}. Check who owns the folder.", e);
        }
    }
}
