using System.Runtime.InteropServices;
using System.Text;

namespace EventMesh.Marten.Embedded.Internal;

/// <summary>Owners and modes of the private server's files.</summary>
internal static class UnixFiles
{
    public const UnixFileMode OwnerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute;

    private const UnixFileMode Everybody =
        OwnerOnly | UnixFileMode.GroupRead | UnixFileMode.GroupExecute | UnixFileMode.OtherRead | UnixFileMode.OtherExecute;

    /// <summary>Makes a folder that everybody may enter, if it is missing.</summary>
    public static void MakeShared(string path)
    {
        if (Directory.Exists(path))
            return;
        Directory.CreateDirectory(path);
        // Whatever the umask says: the server's user has to pass through it.
        SetMode(path, Everybody);
    }

    /// <summary>Makes a folder of the owner's alone, or makes an existing one so.</summary>
    public static void MakePrivate(string path, UnixAccount? owner)
    {
        // A link here would let whoever made it choose what is opened to the server's user.
        if (new DirectoryInfo(path) is { Exists: true, LinkTarget: not null })
            throw new MeshException(MeshError.StoreUnavailable, $"{path} is a symbolic link; a private server needs a folder of its own. Remove it.");
        CreatePrivate(path);
        if (owner is not null)
            Chown(path, owner);
        // Fails when the folder belongs to somebody else: in a shared temp folder anybody could have made it first.
        SetMode(path, OwnerOnly);
    }

    public static void Chown(string path, UnixAccount owner)
    {
        if (NativeMethods.ChangeOwner(Encode(path), (uint)owner.UserId, (uint)owner.GroupId) != 0)
            throw new IOException($"The owner of {path} can't be set to {owner.Name} (error {Marshal.GetLastPInvokeError()}).");
    }

    public static void SetMode(string path, UnixFileMode mode)
    {
        if (OperatingSystem.IsWindows())
            throw new PlatformNotSupportedException();
        File.SetUnixFileMode(path, mode);
    }

    /// <summary>Asks a process to end, if it still runs: SIGINT is PostgreSQL's fast shutdown.</summary>
    public static void Interrupt(int processId) => _ = NativeMethods.Kill(processId, 2);

    private static void CreatePrivate(string path)
    {
        if (OperatingSystem.IsWindows())
            throw new PlatformNotSupportedException();
        Directory.CreateDirectory(path, OwnerOnly);
    }

    private static byte[] Encode(string path) => Encoding.UTF8.GetBytes(path + '\0');
}
