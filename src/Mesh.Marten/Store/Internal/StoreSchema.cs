using EventMesh.Marten.Projections.Internal;
using EventMesh.Marten.Retention.Internal;
using JasperFx;
using Marten;
using Npgsql;
using Weasel.Core;
using Weasel.Postgresql;
using EventRegistry = EventMesh.Journal.EventRegistry;

namespace EventMesh.Marten.Store.Internal;

/// <summary>Makes and checks the schema. It changes only here, one process at a time; afterwards nothing alters a table.</summary>
internal sealed class StoreSchema(NpgsqlDataSource source, LogTables tables)
{
    /// <summary>The version that this program makes and understands.</summary>
    public const int Current = 3;

    // Any number, the same in all versions of this program.
    internal const long MigrationLock = 0x45564d53_4d455348;

    /// <summary>The oldest major version of the server.</summary>
    private const int OldestServer = 14;

    /// <summary>
    /// What the schema is made of besides Marten's tables, in the order in which it is made. An upgrade from any version runs all of it, so that there is
    /// one way to the current version and not one from each older one; a part that has to change what an older version made does it here too.
    /// </summary>
    public IReadOnlyList<SchemaPart> Parts { get; } =
    [
        new(1, "log", LogSchema.Create(tables)),
        new(1, "projections", ProjectionTables.Create(tables.Schema)),
        // Version 2: one line for each part, after those it builds on.
        new(2, "fleet", FleetSchema.Create(tables)),
        new(2, "segments", SegmentTables.Create(tables.Schema)),
        new(2, "subjects", SubjectIndex.Create(tables)),
        new(2, "imports", ImportSchema.Create(tables)),
        new(3, "intervals", ProjectionTables.CreateIntervals(tables.Schema)),
    ];

    /// <summary>The version of the schema, 0 when it is not there; fails on a newer one.</summary>
    public async Task<int> GetVersionAsync(CancellationToken cancellationToken)
    {
        NpgsqlConnection connection = await source.OpenConnectionAsync(cancellationToken).ConfigureAwait(false);
        await using (connection.ConfigureAwait(false))
        {
            if (connection.PostgreSqlVersion.Major < OldestServer)
                throw new MeshException(
                    MeshError.StoreIncompatible, $"The server is PostgreSQL {connection.PostgreSqlVersion}; version {OldestServer} is the oldest that works.");
            return await ReadKnownVersionAsync(connection, cancellationToken).ConfigureAwait(false);
        }
    }

    /// <summary>Makes or upgrades the schema, unless another process has done it meanwhile; returns the version that it had.</summary>
    public async Task<int> MigrateAsync(EventRegistry registry, CancellationToken cancellationToken)
    {
        NpgsqlConnection connection = await source.OpenConnectionAsync(cancellationToken).ConfigureAwait(false);
        await using (connection.ConfigureAwait(false))
        {
            await Sql.ExecuteLongAsync(connection, $"select pg_advisory_lock({MigrationLock})", cancellationToken).ConfigureAwait(false);
            try
            {
                int version = await ReadKnownVersionAsync(connection, cancellationToken).ConfigureAwait(false);
                if (version == Current)
                    return version;
                // Marten says what its tables are; nothing else needs it at run time.
                using DocumentStore store = MartenSetup.Build(source, tables, registry);
                await store.Storage.ApplyAllConfiguredChangesToDatabaseAsync(AutoCreate.CreateOrUpdate).ConfigureAwait(false);
                // One command without parameters is one transaction: all parts and the version that stands for them, or nothing.
                await Sql.ExecuteLongAsync(connection, string.Concat(Parts.Select(part => part.Sql)) + Stamp(), cancellationToken).ConfigureAwait(false);
                return version;
            }
            catch (Exception exception) when (StoreErrors.Lacks(exception) is { } reason)
            {
                throw new MeshException(
                    MeshError.StoreIncompatible,
                    $"The role '{connection.UserName}' may not make or upgrade the schema '{tables.Schema}': {reason}. {Remedy}", exception);
            }
            finally
            {
                // Not the session's end: the connection goes back to the pool.
                await Sql.ExecuteAsync(connection, $"select pg_advisory_unlock({MigrationLock})", CancellationToken.None).ConfigureAwait(false);
            }
        }
    }

    /// <summary>What a node that may not migrate says about an older schema.</summary>
    public MeshException Refuse(int version) => new(
        MeshError.StoreIncompatible,
        (version == 0 ? $"There is no schema '{tables.Schema}' in the database" : $"The schema '{tables.Schema}' has version {version}, this program needs {Current}") +
        $", and EventMesh:Store:AutoMigrate is off. {Remedy}");

    /// <summary>Compares what is there with what this program makes. A newer schema is no failure here.</summary>
    public async Task<StoreCheck> CheckAsync(EventRegistry registry, CancellationToken cancellationToken)
    {
        NpgsqlConnection connection = await source.OpenConnectionAsync(cancellationToken).ConfigureAwait(false);
        await using (connection.ConfigureAwait(false))
        {
            int version = await ReadVersionAsync(connection, tables, cancellationToken).ConfigureAwait(false);
            if (version == 0)
                return new StoreCheck(tables.Schema, version, Current, [$"missing: the schema {tables.Schema}"]);
            using DocumentStore store = MartenSetup.Build(source, tables, registry);
            SchemaMigration marten = await store.Storage.Database.CreateMigrationAsync(cancellationToken).ConfigureAwait(false);
            IEnumerable<string> differing = marten.Deltas.Where(Differs)
                .Select(delta => $"{(delta.Difference == SchemaPatchDifference.Create ? "missing" : "differs")}: {delta.SchemaObject.Identifier.Name} (Marten's)");
            IReadOnlyList<string> missing = await SchemaContent.FindMissingAsync(connection, tables, Parts, cancellationToken).ConfigureAwait(false);
            return new StoreCheck(tables.Schema, version, Current, [.. differing, .. missing]);
        }
    }

    private static bool Differs(ISchemaObjectDelta delta)
    {
        if (delta.Difference is SchemaPatchDifference.None or SchemaPatchDifference.Create)
            return delta.Difference != SchemaPatchDifference.None;
        // The key to the streams that Marten would have we drop (LogSchema says why): nothing but that is no difference.
        using var update = new StringWriter();
        delta.WriteUpdate(new PostgresqlMigrator(), update);
        return SchemaScript.ForeignKey().Replace(update.ToString(), "").AsSpan().ContainsAnyExcept("\r\n\t ;");
    }

    // Last, in the same transaction as what it stands for.
    internal string Stamp() =>
        $"""
        create table if not exists {tables.Version} (
            version int not null,
            single bool primary key default true check (single));
        insert into {tables.Version} (version) values ({Current}) on conflict (single) do update set version = excluded.version;

        """;

    private const string Remedy =
        "Run `mesh store migrate` with the role that owns the schema, or give the output of `mesh store script` to whoever may run it.";

    /// <summary>
    /// Fails when a newer program has upgraded the schema since this one opened it. Appending to it goes on; what reads and folds the logs of others, or replaces
    /// their tables, asks first.
    /// </summary>
    public static async Task ThrowIfNewerAsync(NpgsqlConnection connection, LogTables tables, CancellationToken cancellationToken) =>
        ThrowIfNewer(await ReadStampAsync(connection, tables, cancellationToken).ConfigureAwait(false), tables);

    private static void ThrowIfNewer(int version, LogTables tables)
    {
        if (version > Current)
            throw new MeshException(
                MeshError.StoreIncompatible,
                $"The schema '{tables.Schema}' has version {version}, this program knows {Current}: a newer program made it. Update this one.");
    }

    private async Task<int> ReadKnownVersionAsync(NpgsqlConnection connection, CancellationToken cancellationToken)
    {
        int version = await ReadVersionAsync(connection, tables, cancellationToken).ConfigureAwait(false);
        ThrowIfNewer(version, tables);
        return version;
    }

    private static async Task<int> ReadVersionAsync(NpgsqlConnection connection, LogTables tables, CancellationToken cancellationToken) =>
        await Sql.ScalarAsync<bool>(connection, "select to_regclass($1) is not null", cancellationToken, tables.Version).ConfigureAwait(false)
            ? await ReadStampAsync(connection, tables, cancellationToken).ConfigureAwait(false)
            : 0;

    private static Task<int> ReadStampAsync(NpgsqlConnection connection, LogTables tables, CancellationToken cancellationToken) =>
        Sql.ScalarPreparedAsync<int>(connection, $"select coalesce(max(version), 0) from {tables.Version}", cancellationToken);
}
