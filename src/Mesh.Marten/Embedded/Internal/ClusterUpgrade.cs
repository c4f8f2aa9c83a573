using Microsoft.Extensions.Logging;

namespace EventMesh.Marten.Embedded.Internal;

/// <summary>Brings the cluster of a private server to another version of PostgreSQL: both run side by side until the new one is known to hold the same logs.</summary>
/// <param name="location">The node's files, whose lock the caller holds.</param>
/// <param name="time">The clock of waits.</param>
/// <param name="loggerFactory">The log.</param>
internal sealed class ClusterUpgrade(PrivatePostgresLocation location, TimeProvider time, ILoggerFactory loggerFactory)
{
    // The write-ahead log of the new server, which may grow to max_wal_size while all is copied.
    private const long ExtraBytes = 256L * 1024 * 1024;

    /// <value>Told of each step; for tests, which end the process there.</value>
    public Func<UpgradeStep, Task> Reached { get; init; } = _ => Task.CompletedTask;

    /// <value>The bytes free for a folder.</value>
    public Func<string, long> FreeBytes { get; init; } = path => new DriveInfo(path).AvailableFreeSpace;

    /// <summary>Makes the new cluster, fills it, has it compared, and puts it in the place of the old one.</summary>
    /// <param name="old">The programs that made the cluster.</param>
    /// <param name="target">The programs to go to.</param>
    /// <param name="compare">Compares what the two servers hold, and fails when it is not the same.</param>
    /// <param name="cancellationToken">Gives up; the cluster is as it was.</param>
    /// <returns>The name that the old cluster has now.</returns>
    public async Task<string> RunAsync(
        PostgresBinaries old, PostgresBinaries target, Func<PrivatePostgres, PrivatePostgres, Task> compare, CancellationToken cancellationToken)
    {
        RequireTools(target);
        RequireSpace();
        PrivatePostgresLocation made = ClusterSwitch.New(location);
        bool isSwitching = false;
        try
        {
            ClusterFiles.MakeFolders(location);
            ClusterFiles.MakeFolders(made);
            PrivatePostgres source = await PrivatePostgres.RunAsync(ClusterSwitch.Old(location), old, fileLock: null, time, loggerFactory, cancellationToken)
                .ConfigureAwait(false);
            await using (source.ConfigureAwait(false))
            {
                PrivatePostgres sink = await PrivatePostgres.RunAsync(made, target, fileLock: null, time, loggerFactory, cancellationToken).ConfigureAwait(false);
                await using (sink.ConfigureAwait(false))
                {
                    await Reached(UpgradeStep.Made).ConfigureAwait(false);
                    await new ClusterCopy(source, sink, target).RunAsync(cancellationToken).ConfigureAwait(false);
                    await Reached(UpgradeStep.Copied).ConfigureAwait(false);
                    await compare(source, sink).ConfigureAwait(false);
                }
            }
            await Reached(UpgradeStep.Checked).ConfigureAwait(false);
            string kept = ClusterSwitch.NameKept(location, old.Major);
            isSwitching = true;
            await ClusterSwitch.RunAsync(location, kept, Reached).ConfigureAwait(false);
            return kept;
        }
        catch (Exception exception) when (!isSwitching)
        {
            // The old cluster goes on; what was made of the new one only takes room.
            if (Directory.Exists(made.Directory))
                Directory.Delete(made.Directory, recursive: true);
            throw exception is IOException or UnauthorizedAccessException
                ? new MeshException(MeshError.StoreUnavailable, $"The new cluster can't be made in {made.Directory}: {exception.Message} The old one is as it was.", exception)
                : exception;
        }
    }

    private static void RequireTools(PostgresBinaries target)
    {
        string[] missing = [.. new[] { target.Dump, target.DumpAll, target.Psql }.Where(program => !File.Exists(program))];
        if (missing.Length > 0)
            throw new MeshException(
                MeshError.StoreUnavailable, $"{string.Join(" and ", missing)} is missing: install the package 'postgresql-client-{target.Major}'.");
    }

    private void RequireSpace()
    {
        long needed = Measure(location.DataDirectory) + ExtraBytes;
        long free = FreeBytes(location.Directory);
        if (free < needed)
            throw new MeshException(
                MeshError.StoreUnavailable,
                $"The disk of {location.Directory} has {free >> 20} MiB free, and the new cluster beside the old one may take {needed >> 20} MiB. Make room first; nothing was changed.");
    }

    private static long Measure(string dataDirectory)
    {
        string walDirectory = Path.Combine(dataDirectory, "pg_wal") + Path.DirectorySeparatorChar;
        return new DirectoryInfo(dataDirectory).EnumerateFiles("*", SearchOption.AllDirectories)
            .Where(file => !file.FullName.StartsWith(walDirectory, StringComparison.Ordinal)).Sum(file => file.Length);
    }
}
