using Microsoft.Data.Sqlite;

namespace EventMesh.Journal.Internal;

/// <summary>Opens the node's own SQLite files: readable for its user only, and for no second process.</summary>
internal static class PrivateDatabase
{
    /// <summary>Opens a file, or makes it.</summary>
    /// <param name="path">The file.</param>
    /// <param name="synchronous"><c>FULL</c>: what is committed survives the end of the machine; <c>OFF</c>: that of the process.</param>
    public static SqliteConnection Open(string path, string synchronous)
    {
        var options = new FileStreamOptions { Mode = FileMode.OpenOrCreate, Access = FileAccess.ReadWrite, Share = FileShare.ReadWrite };
        if (!OperatingSystem.IsWindows())
            options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        using (File.Open(path, options))
        {
        }
        // SQLite gives its journal files the mode of the file itself.
        if (!OperatingSystem.IsWindows())
            File.SetUnixFileMode(path, UnixFileMode.UserRead | UnixFileMode.UserWrite);
        // Pooling would keep the file open after Dispose.
        var settings = new SqliteConnectionStringBuilder { DataSource = path, Pooling = false, DefaultTimeout = 1 };
        var connection = new SqliteConnection(settings.ToString());
        try
        {
            connection.Open();
            using SqliteCommand command = connection.CreateCommand();
#pragma warning disable CA2100 // The text is ours: a constant of the caller.
            // Exclusive: no second process may write here, also when the directory's lock failed to tell (network file systems).
            command.CommandText = $"PRAGMA locking_mode=EXCLUSIVE; PRAGMA journal_mode=WAL; PRAGMA synchronous={synchronous}";
#pragma warning restore CA2100
            command.ExecuteNonQuery();
            return connection;
        }
        catch
        {
            connection.Dispose();
            throw;
        }
    }
}
