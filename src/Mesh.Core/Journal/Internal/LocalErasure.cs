namespace EventMesh.Journal.Internal;

/// <summary>
/// A mark in the data directory that what the local files hold of the log is to be forgotten: the next start begins new ones. A page that SQLite has given up keeps its content
/// until something else is written there, so deleting rows would not do.
/// </summary>
internal static class LocalErasure
{
    /// <summary>The name of the mark.</summary>
    public const string FileName = "forget-local-copies";

    /// <summary>Sets the mark.</summary>
    public static void Request(string dataDirectory)
    {
        try
        {
            File.WriteAllBytes(Path.Combine(dataDirectory, FileName), []);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            throw new MeshException(MeshError.DataDirectoryUnusable, $"The data directory '{dataDirectory}' can't be written: {exception.Message}", exception);
        }
    }

    /// <summary>Before the files are opened: deletes the replica where the mark is set; whether it is.</summary>
    public static bool ForgetReplica(string dataDirectory)
    {
        if (!File.Exists(Path.Combine(dataDirectory, FileName)))
            return false;
        Delete(Path.Combine(dataDirectory, LocalReplica.FileName));
        return true;
    }

    /// <summary>When the spool has been opened and is empty: deletes it and takes the mark away.</summary>
    public static void ForgetSpool(string dataDirectory)
    {
        Delete(Path.Combine(dataDirectory, EventSpool.FileName));
        File.Delete(Path.Combine(dataDirectory, FileName));
    }

    private static void Delete(string path)
    {
        foreach (string suffix in (string[])["", "-wal", "-shm"])
            File.Delete(path + suffix);
    }
}
