using EventMesh.Identity;
using EventMesh.Journal;
using EventMesh.Marten.Audit;
using EventMesh.Marten.Embedded;
using EventMesh.Marten.Embedded.Internal;
using EventMesh.Marten.Store.Internal;
using Microsoft.Extensions.Logging;
using Npgsql;

namespace EventMesh.Marten.Store;

public sealed partial class StoreAdministration
{
    /// <summary>
    /// Brings a private server's cluster to the newest PostgreSQL on this machine, or to that of <see cref="MeshStoreOptions.PostgresBin"/>, by dump and restore. The
    /// new cluster takes the place of the old one once each log in it was walked and found the same; the old one is kept beside it. An attempt that was cut short, at whatever
    /// step, leaves a cluster that works, and the next attempt or start ends what it has begun.
    /// </summary>
    /// <param name="options">The store; they have been validated.</param>
    /// <param name="node">The node of the data directory; null when it has not run yet.</param>
    /// <param name="dataDirectory">The data directory.</param>
    /// <param name="oldBin">The folder of the programs that made the cluster; null to look for them.</param>
    /// <param name="timeProvider">The clock of waits.</param>
    /// <param name="loggerFactory">The log.</param>
    /// <param name="cancellationToken">Gives up; the old cluster stays in its place.</param>
    /// <remarks>
    /// The task fails with <see cref="MeshException"/>: <see cref="MeshError.DataDirectoryLocked"/> while the node runs, <see cref="MeshError.StoreUnavailable"/> (programs
    /// are missing, the disk has no room, a server did not start), <see cref="MeshError.StoreIncompatible"/> (no programs of the old version, or another version of the
    /// schema), <see cref="MeshError.InvalidConfiguration"/> (there is no private server to upgrade).
    /// </remarks>
    public static async Task<StoreUpgrade> UpgradeAsync(
        MeshStoreOptions options, NodeId? node, string dataDirectory, string? oldBin, TimeProvider timeProvider, ILoggerFactory loggerFactory,
        CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(options);
        if (!string.IsNullOrWhiteSpace(options.ConnectionString))
            throw new MeshException(
                MeshError.InvalidConfiguration,
                "EventMesh:Store:ConnectionString (or --store) names a server, which is upgraded by PostgreSQL's own means: this command is for a node's private server.");
        if (node is not { } known)
            throw new MeshException(MeshError.InvalidConfiguration, $"'{dataDirectory}' holds no node: name the data directory of one that has run (--data).");
        PrivatePostgresLocation location = PrivatePostgres.Locate(known, dataDirectory);
        if (!Directory.Exists(location.Directory))
            throw NoCluster(location);
        FileStream fileLock = PrivatePostgres.TakeLock(location);
        await using (fileLock.ConfigureAwait(false))
        {
            try
            {
                return await UpgradeLockedAsync(options, location, oldBin, new ClusterUpgrade(location, timeProvider, loggerFactory), timeProvider, cancellationToken)
                    .ConfigureAwait(false);
            }
            catch (Exception exception) when (exception is not (MeshException or OperationCanceledException))
            {
                throw StoreErrors.Translate(exception, "be upgraded");
            }
        }
    }

    private static async Task<StoreUpgrade> UpgradeLockedAsync(
        MeshStoreOptions options, PrivatePostgresLocation location, string? oldBin, ClusterUpgrade upgrade, TimeProvider time, CancellationToken cancellationToken)
    {
        string? settled = await ClusterSwitch.SettleLockedAsync(location, time, cancellationToken).ConfigureAwait(false);
        int major = PostgresBinaries.ReadVersion(location.DataDirectory) ?? throw NoCluster(location);
        if (settled is not null)
            return new StoreUpgrade(location.DataDirectory, PostgresBinaries.ReadVersion(settled) ?? major, major, settled, 0, 0, 0);
        IReadOnlyList<PostgresBinaries> found = await PostgresBinaries.FindAllAsync([options.PostgresBin, oldBin], cancellationToken).ConfigureAwait(false);
        PostgresBinaries? wanted = string.IsNullOrWhiteSpace(options.PostgresBin) ? null
            : await PostgresBinaries.LookAsync(options.PostgresBin, cancellationToken).ConfigureAwait(false) ?? throw PostgresBinaries.Missing(options.PostgresBin);
        (PostgresBinaries old, PostgresBinaries target) = UpgradeChoice.Choose(location.DataDirectory, major, found, wanted);
        return old.Major == target.Major
            ? new StoreUpgrade(location.DataDirectory, major, major, null, 0, 0, 0)
            : await BringAsync(options, location, old, target, upgrade, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>The upgrade itself, from programs that were chosen; the caller holds the lock.</summary>
    internal static async Task<StoreUpgrade> BringAsync(
        MeshStoreOptions options, PrivatePostgresLocation location, PostgresBinaries old, PostgresBinaries target, ClusterUpgrade upgrade, CancellationToken cancellationToken)
    {
        IReadOnlyList<AuditReport> logs = [];
        string kept = await upgrade.RunAsync(
            old, target, async (before, after) => logs = await CompareAsync(options, before, after, cancellationToken).ConfigureAwait(false), cancellationToken).ConfigureAwait(false);
        return new StoreUpgrade(
            location.DataDirectory, old.Major, target.Major, kept, logs.Count, logs.Sum(log => log.LastPlace), logs.Sum(log => log.FindingCount));
    }

    private static async Task<IReadOnlyList<AuditReport>> CompareAsync(
        MeshStoreOptions options, PrivatePostgres before, PrivatePostgres after, CancellationToken cancellationToken)
    {
        var tables = new LogTables(options.Schema);
        NpgsqlDataSource first = StoreSource.Build(options, before.ConnectionString, isPrivate: true);
        await using (first.ConfigureAwait(false))
        {
            NpgsqlDataSource second = StoreSource.Build(options, after.ConnectionString, isPrivate: true);
            await using (second.ConfigureAwait(false))
            {
                int version = await new StoreSchema(first, tables).GetVersionAsync(cancellationToken).ConfigureAwait(false);
                if (version == 0)
                    // A node that was ended before its first event.
                    return [];
                return version == StoreSchema.Current
                    ? await new LogComparison(first, second, tables, EventRegistry.Default).RunAsync(cancellationToken).ConfigureAwait(false)
                    : throw new MeshException(
                        MeshError.StoreIncompatible,
                        $"The schema '{options.Schema}' has version {version}, and this program compares logs of {StoreSchema.Current}. Run `mesh store migrate` first: it starts PostgreSQL {before.Major}.");
            }
        }
    }

    private static MeshException NoCluster(PrivatePostgresLocation location) =>
        new(MeshError.InvalidConfiguration, $"There is no cluster of a private server in {location.Directory}: nothing to upgrade.");
}
