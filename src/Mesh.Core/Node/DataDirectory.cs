namespace EventMesh.Node;

/// <summary>The folder of a node, held by one process at a time.</summary>
public sealed class DataDirectory : IDisposable
{
    private const string LockFile = "lock";
    private readonly FileStream _lock;

    private DataDirectory(string path, FileStream heldLock)
    {
        Path = path;
        _lock = heldLock;
    }

    /// <summary>The absolute path.</summary>
    public string Path { get; }

    /// <summary>Makes the folder when it is missing, closed to other users, and locks it.</summary>
    /// <exception cref="MeshException">
    /// <see cref="MeshError.DataDirectoryLocked"/>: another process holds it; <see cref="MeshError.DataDirectoryUnusable"/>: it can't be made or written.
    /// </exception>
    public static DataDirectory Open(string path)
    {
        string full = System.IO.Path.GetFullPath(path);
        try
        {
            if (OperatingSystem.IsWindows()) Directory.CreateDirectory(full);
            else Directory.CreateDirectory(full, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw Unusable(full, e);
        }
        try
        {
            var held = new FileStream(
                System.IO.Path.Combine(full, LockFile), FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None, 1, FileOptions.None);
            return new DataDirectory(full, held);
        }
        catch (UnauthorizedAccessException e)
        {
            throw Unusable(full, e);
        }
        catch (IOException e) when (e is DirectoryNotFoundException or PathTooLongException)
        {
            throw Unusable(full, e);
        }
        catch (IOException e)
        {
            throw new MeshException(
                MeshError.DataDirectoryLocked,
                $"Another node uses the data directory '{full}'. Stop it, or give this one a directory of its own (--data).", e);
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _lock.Dispose();

    private static MeshException Unusable(string path, Exception cause) => new(
        MeshError.DataDirectoryUnusable, $"The data directory '{path}' can't be used: {cause.Message} Choose another one (--data).", cause);
}
