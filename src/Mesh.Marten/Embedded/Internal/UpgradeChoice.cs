namespace EventMesh.Marten.Embedded.Internal;

/// <summary>Decides from and to which version of PostgreSQL an upgrade goes.</summary>
internal static class UpgradeChoice
{
    /// <param name="dataDirectory">The cluster, for the messages.</param>
    /// <param name="major">The version that made it.</param>
    /// <param name="found">The server programs of this machine.</param>
    /// <param name="wanted">Those that the configuration names, with which the node will start; null when it takes what fits.</param>
    /// <returns>The programs that made the cluster, and those to go to: the same when there is nothing newer.</returns>
    /// <exception cref="MeshException">There is no way: the message has the package that would open one.</exception>
    public static (PostgresBinaries Old, PostgresBinaries Target) Choose(
        string dataDirectory, int major, IReadOnlyList<PostgresBinaries> found, PostgresBinaries? wanted)
    {
        if (found.Count == 0)
            throw PostgresBinaries.Missing(folder: null);
        PostgresBinaries target = wanted ?? found.MaxBy(each => each.Major)!;
        if (found.FirstOrDefault(each => each.Major == major) is not { } old)
            throw new MeshException(
                MeshError.StoreIncompatible,
                $"{dataDirectory} was made by PostgreSQL {major}, whose programs read it; here is {PostgresBinaries.Describe(found)}. Install the package 'postgresql-{major}', or name the folder of its programs (--old-bin).");
        if (target.Major < major)
            throw new MeshException(
                MeshError.StoreIncompatible,
                $"{dataDirectory} was made by PostgreSQL {major}, and EventMesh:Store:PostgresBin names {target.Major} ({target.Folder}): a log is not brought to an older version.");
        if (wanted is not null && wanted.Major == major && found.MaxBy(each => each.Major) is { } newest && newest.Major > major)
            throw new MeshException(
                MeshError.InvalidConfiguration,
                $"EventMesh:Store:PostgresBin names PostgreSQL {major} ({wanted.Folder}), which the node would go on starting. Take it away, or set it to {newest.Folder}, and run this again.");
        return (old, target);
    }
}
