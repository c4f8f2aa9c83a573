namespace EventMesh.Marten.Store.Internal;

/// <summary>Reads a password from a file that only its owner can read.</summary>
internal static class PasswordFile
{
    private const UnixFileMode ForOthers =
        UnixFileMode.GroupRead | UnixFileMode.GroupWrite | UnixFileMode.GroupExecute | UnixFileMode.OtherRead | UnixFileMode.OtherWrite | UnixFileMode.OtherExecute;

    public static string Read(string path)
    {
        try
        {
            // A Kubernetes secret is a link: the mode of what it leads to counts, which is what this asks.
            if (!OperatingSystem.IsWindows() && (File.GetUnixFileMode(path) & ForOthers) != UnixFileMode.None)
                throw new MeshException(
                    MeshError.InvalidConfiguration, $"The password file {path} (EventMesh:Store:PasswordFile) is open to other users: chmod 600 {path}");
            return Trim(path, File.ReadAllText(path));
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            throw new MeshException(
                MeshError.InvalidConfiguration, $"The password file {path} (EventMesh:Store:PasswordFile) can't be read: {exception.Message}", exception);
        }
    }

    // Editors end a file with a line's end; a password with one at its end can't be typed anywhere.
    private static string Trim(string path, string content) =>
        content.TrimEnd('\r', '\n') is { Length: > 0 } password
            ? password
            : throw new MeshException(MeshError.InvalidConfiguration, $"The password file {path} (EventMesh:Store:PasswordFile) is empty.");
}
