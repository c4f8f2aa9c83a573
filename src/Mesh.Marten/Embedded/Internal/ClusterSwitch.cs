namespace EventMesh.Marten.Embedded.Internal;

/// <summary>
/// Puts the cluster that an upgrade has made in the place of the old one. Two renames: after the first, for which a note is written before, there is no cluster in
/// the place, and whoever looks next does the second. At any other moment there is one that works.
/// </summary>
internal static class ClusterSwitch
{
    private const string Note = "switch";

    /// <summary>Where an upgrade makes the new cluster: on the same file system, so that a rename moves it.</summary>
    public static PrivatePostgresLocation New(PrivatePostgresLocation location) =>
        location with { Directory = Path.Combine(location.Directory, "upgrade"), Port = ClusterFiles.Port + 2 };

    /// <summary>The old cluster while it is read: at its place, with a socket that only the upgrade knows.</summary>
    public static PrivatePostgresLocation Old(PrivatePostgresLocation location) => location with { Port = ClusterFiles.Port + 1 };

    /// <summary>A name for the old cluster that is free.</summary>
    public static string NameKept(PrivatePostgresLocation location, int major)
    {
        string name = $"{location.DataDirectory}.{major}";
        string free = name;
        for (int i = 2; Directory.Exists(free); i++)
            free = $"{name}-{i}";
        return free;
    }

    /// <summary>Switches; both servers have ended, and the new cluster is known to be whole.</summary>
    /// <param name="location">The node's files, whose lock the caller holds.</param>
    /// <param name="kept">The name of the old cluster from now on.</param>
    /// <param name="reached">Told of each step.</param>
    public static async Task RunAsync(PrivatePostgresLocation location, string kept, Func<UpgradeStep, Task> reached)
    {
        WriteNote(location, kept);
        await reached(UpgradeStep.Noted).ConfigureAwait(false);
        Directory.Move(location.DataDirectory, kept);
        await reached(UpgradeStep.OldMoved).ConfigureAwait(false);
        Directory.Move(New(location).DataDirectory, location.DataDirectory);
        await reached(UpgradeStep.NewMoved).ConfigureAwait(false);
        Directory.Delete(New(location).Directory, recursive: true);
    }

    /// <summary>
    /// Ends what an upgrade that was cut short has begun: brings the new cluster to its place where the old one has left it, else removes it, since the old one goes on.
    /// </summary>
    /// <returns>The name that the old cluster has now, when the switch was ended here; else null.</returns>
    /// <remarks>The task fails with <see cref="MeshError.DataDirectoryLocked"/> while a process runs the server or an upgrade.</remarks>
    public static async Task<string?> SettleAsync(PrivatePostgresLocation location, TimeProvider time, CancellationToken cancellationToken)
    {
        if (!Directory.Exists(New(location).Directory))
            return null;
        FileStream fileLock = PrivatePostgres.TakeLock(location);
        await using (fileLock.ConfigureAwait(false))
            return await SettleLockedAsync(location, time, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>The same for who holds the lock.</summary>
    public static async Task<string?> SettleLockedAsync(PrivatePostgresLocation location, TimeProvider time, CancellationToken cancellationToken)
    {
        PrivatePostgresLocation made = New(location);
        if (!Directory.Exists(made.Directory))
            return null;
        await PrivatePostgres.AwaitPredecessorAsync(made, time, logger: null, cancellationToken).ConfigureAwait(false);
        string? kept = null;
        if (!Directory.Exists(location.DataDirectory) && Directory.Exists(made.DataDirectory) && ReadNote(location) is { } noted)
        {
            Directory.Move(made.DataDirectory, location.DataDirectory);
            kept = noted;
        }
        Directory.Delete(made.Directory, recursive: true);
        return kept;
    }

    private static string NotePath(PrivatePostgresLocation location) => Path.Combine(New(location).Directory, Note);

    private static void WriteNote(PrivatePostgresLocation location, string kept)
    {
        // It is there whole or not at all, also after the loss of power.
        string draft = NotePath(location) + ".new";
        using (FileStream file = File.Create(draft))
        {
            file.Write(System.Text.Encoding.UTF8.GetBytes(kept));
            file.Flush(flushToDisk: true);
        }
        File.Move(draft, NotePath(location), overwrite: true);
    }

    private static string? ReadNote(PrivatePostgresLocation location) =>
        File.Exists(NotePath(location)) ? File.ReadAllText(NotePath(location)) : null;
}
