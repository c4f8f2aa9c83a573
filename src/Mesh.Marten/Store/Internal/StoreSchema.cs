using EventMesh.Marten.Projections.Internal;
using JasperFx;
using Marten;
using Npgsql;
using EventRegistry = EventMesh.Journal.EventRegistry;

namespace EventMesh.Marten.Store.Internal;

/// <summary>Makes and checks the schema. It changes only here, at open, one process at a time; afterwards nothing alters a table.</summary>
internal sealed class StoreSchema(NpgsqlDataSource source, LogTables tables)
{
    /// <summary>The version that this program makes and understands.</summary>
    public const int Current = 2;

    /// <summary>The oldest major version of the server.</summary>
    private const int OldestServer = 14;

    // Any number, the same in all versions of this program.
    private const long MigrationLock = 0x45564d53_4d455348;

    /// <summary>
    /// What the schema is made of besides Marten's tables, in the order in which it is made. An upgrade from any version runs all of it, so that there is
    /// one way to the current version and not one from each older one; a part that has to change what an older version made does it here too.
    /// </summary>
    public IReadOnlyList<SchemaPart> Parts { get; } =
    [
        new(1, "log", LogSchema.Create(tables)),
        new(1, "projections", ProjectionTables.Create(tables.Schema)),
        // Version 2: one line for each part, after those it builds on.
    ];

    /// <summary>Whether the schema is there, of this version; fails on a newer one.</summary>
    public async Task<bool> IsCurrentAsync(CancellationToken cancellationToken)
    {
        NpgsqlConnection connection = await source.OpenConnectionAsync(cancellationToken).ConfigureAwait(false);
        await using (connection.ConfigureAwait(false))
        {
            if (connection.PostgreSqlVersion.Major < OldestServer)
                throw new MeshException(
                    MeshError.StoreIncompatible, $"The server is PostgreSQL {connection.PostgreSqlVersion}; version {OldestServer} is the oldest that works.");
            return await ReadVersionAsync(connection, cancellationToken).ConfigureAwait(false) == Current;
        }
    }

    /// <summary>Makes or upgrades the schema, unless another process has done it meanwhile.</summary>
    public async Task MigrateAsync(EventRegistry registry, CancellationToken cancellationToken)
    {
        NpgsqlConnection connection = await source.OpenConnectionAsync(cancellationToken).ConfigureAwait(false);
        await using (connection.ConfigureAwait(false))
        {
            await Sql.ExecuteAsync(connection, $"select pg_advisory_lock({MigrationLock})", cancellationToken).ConfigureAwait(false);
            try
            {
                if (await ReadVersionAsync(connection, cancellationToken).ConfigureAwait(false) == Current)
                    return;
                // Marten says what its tables are; nothing else needs it at run time.
                using DocumentStore store = MartenSetup.Build(source, tables, registry);
                await store.Storage.ApplyAllConfiguredChangesToDatabaseAsync(AutoCreate.CreateOrUpdate).ConfigureAwait(false);
                // One command without parameters is one transaction: all parts and the version that stands for them, or nothing.
                await Sql.ExecuteAsync(connection, string.Concat(Parts.Select(part => part.Sql)) + Stamp(), cancellationToken).ConfigureAwait(false);
            }
            finally
            {
                // Not the session's end: the connection goes back to the pool.
                await Sql.ExecuteAsync(connection, $"select pg_advisory_unlock({MigrationLock})", CancellationToken.None).ConfigureAwait(false);
            }
        }
    }

    // Last, in the same transaction as what it stands for.
    private string Stamp() =>
        $"""
        create table if not exists {tables.Version} (
            version int not null,
            single bool primary key default true check (single));
        insert into {tables.Version} (version) values ({Current}) on conflict (single) do update set version = excluded.version;

        """;

    private async Task<int> ReadVersionAsync(NpgsqlConnection connection, CancellationToken cancellationToken)
    {
        if (!await Sql.ScalarAsync<bool>(connection, "select to_regclass($1) is not null", cancellationToken, tables.Version).ConfigureAwait(false))
            return 0;
        int version = await Sql.ScalarAsync<int>(connection, $"select coalesce(max(version), 0) from {tables.Version}", cancellationToken)
            .ConfigureAwait(false);
        return version <= Current
            ? version
            : throw new MeshException(
                MeshError.StoreIncompatible,
                $"The schema '{tables.Schema}' has version {version}, this program knows {Current}: a newer program made it. Update this one.");
    }
}
