using EventMesh.Marten.Store.Internal;
using Npgsql;

namespace EventMesh.Marten.Projections.Internal;

/// <summary>
/// Folds a projection anew into tables beside those in use, then switches its views. Marten's own rebuild empties what readers see,
/// for all nodes, until it is done.
/// </summary>
/// <remarks>
/// Each page is a transaction of its own that moves the position of the generation that is built. So whatever interrupts a rebuild, the next one finds in
/// <c>projection.building</c> what is there and goes on.
/// </remarks>
internal sealed class ProjectionRebuild(LogProjection projection, LogTables tables)
{
    /// <summary>
    /// Events in a page, three of which are in memory together: an entry that changes often within one is written once for each version and never updated, and while one is
    /// written the next is folded and the one after it read.
    /// </summary>
    public int PageSize { get; init; } = 2_500;

    // Another build of the program may fold differently: it does not go on with what this one began.
    private static readonly Guid Build = typeof(ProjectionRebuild).Module.ModuleVersionId;

    /// <summary>Called after each page, outside of its transaction.</summary>
    public Func<Task>? PageFolded { get; init; }

    public async Task RunAsync(NpgsqlConnection connection, CancellationToken cancellationToken)
    {
        await StoreSchema.ThrowIfNewerAsync(connection, tables, cancellationToken).ConfigureAwait(false);
        // The lock ends with the connection when this process does.
        if (!await Sql.ScalarAsync<bool>(connection, "select pg_try_advisory_lock(hashtextextended($1, 0))", cancellationToken, projection.RebuildLock)
            .ConfigureAwait(false))
            throw new MeshException(
                MeshError.ConcurrencyConflict, $"A rebuild of projection '{projection.Name}' is under way already. `mesh projections` shows how far it is.");
        try
        {
            int building = await BeginAsync(connection, cancellationToken).ConfigureAwait(false);
            await FoldAsync(connection, building, cancellationToken).ConfigureAwait(false);
            // From a sample of 6,000 rows: enough for good plans until the server looks by itself.
            await Sql.ExecuteLongAsync(
                connection,
                projection.CreateIndexes(building) + $"set default_statistics_target = 20; analyze {projection.Table(building)}; reset default_statistics_target",
                cancellationToken).ConfigureAwait(false);
            // What came while the indexes were made, so that little is left for the switch, during which the live projection stands still.
            await FoldAsync(connection, building, cancellationToken).ConfigureAwait(false);
            await SwitchAsync(connection, building, cancellationToken).ConfigureAwait(false);
            // Not with the switch: a reader that has the old table and waits for the view would be in each other's way with it.
            await DropOthersAsync(connection, building, cancellationToken).ConfigureAwait(false);
        }
        finally
        {
            await UnlockAsync(connection).ConfigureAwait(false);
        }
    }

    /// <summary>The generation to fill: one that an interrupted rebuild left, or a new one.</summary>
    private async Task<int> BeginAsync(NpgsqlConnection connection, CancellationToken cancellationToken)
    {
        NpgsqlTransaction transaction = await connection.BeginTransactionAsync(cancellationToken).ConfigureAwait(false);
        await using (transaction.ConfigureAwait(false))
        {
            State state = await LockAsync(connection, cancellationToken).ConfigureAwait(false);
            if (state.Building is { } left && state.BuildingBuild == Build && await ExistsAsync(connection, left, cancellationToken).ConfigureAwait(false))
                return left;
            await DropOthersAsync(connection, state.Live, cancellationToken).ConfigureAwait(false);
            int next = state.Live + 1;
            await Sql.ExecuteAsync(connection, projection.CreateTable(next), cancellationToken).ConfigureAwait(false);
            await Sql.ExecuteAsync(
                connection, $"update {tables.Schema}.projection set building = $2, building_by = $3, building_build = $4 where name = $1", cancellationToken,
                projection.Name, next, StoreSchema.Current, Build).ConfigureAwait(false);
            await transaction.CommitAsync(cancellationToken).ConfigureAwait(false);
            return next;
        }
    }

    /// <summary>Most of the work, a transaction for each page, while the live projection goes on.</summary>
    private async Task FoldAsync(NpgsqlConnection connection, int building, CancellationToken cancellationToken)
    {
        foreach (string tenant in await TenantsAsync(connection, cancellationToken).ConfigureAwait(false))
        {
            long position = await Sql.ScalarAsync<long>(
                connection,
                $"select coalesce(max(node_seq), 0) from {tables.Schema}.projection_position where name = $1 and generation = $2 and tenant_id = $3",
                cancellationToken, projection.Name, building, tenant).ConfigureAwait(false);
            LogFold fold = projection.BeginFold(building, Guid.Parse(tenant));
            await fold.LoadAsync(connection, page: null, cancellationToken).ConfigureAwait(false);
            Task<LogPage>? reading = projection.ReadAsync(tenant, position, PageSize, cancellationToken);
            Task writing = Task.CompletedTask;
            try
            {
                while (reading is not null)
                {
                    LogPage page = await reading.ConfigureAwait(false);
                    reading = page.IsLast ? null : projection.ReadAsync(tenant, page.UpTo, PageSize, cancellationToken);
                    Func<NpgsqlConnection, CancellationToken, Task> write = fold.Fold([.. page.Events.Where(projection.Concerns)]);
                    await writing.ConfigureAwait(false);
                    writing = WriteAsync(connection, tenant, building, page, write, cancellationToken);
                }
                await writing.ConfigureAwait(false);
            }
            finally
            {
                await Task.WhenAll(reading ?? Task.CompletedTask, writing).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }
        }
    }

    private async Task WriteAsync(
        NpgsqlConnection connection, string tenant, int building, LogPage page, Func<NpgsqlConnection, CancellationToken, Task> write, CancellationToken cancellationToken)
    {
        NpgsqlTransaction transaction = await connection.BeginTransactionAsync(cancellationToken).ConfigureAwait(false);
        await using (transaction.ConfigureAwait(false))
        {
            // What is lost of these at a crash of the server is folded again: the position is lost with them.
            await Sql.ExecuteAsync(connection, "set local synchronous_commit = off", cancellationToken).ConfigureAwait(false);
            await projection.WritePageAsync(connection, tenant, building, page, write, cancellationToken).ConfigureAwait(false);
            await transaction.CommitAsync(cancellationToken).ConfigureAwait(false);
        }
        if (PageFolded is not null)
            await PageFolded().ConfigureAwait(false);
    }

    private async Task SwitchAsync(NpgsqlConnection connection, int building, CancellationToken cancellationToken)
    {
        NpgsqlTransaction transaction = await connection.BeginTransactionAsync(cancellationToken).ConfigureAwait(false);
        await using (transaction.ConfigureAwait(false))
        {
            // From here the live projection stands still; what it has seen since, the new one sees too.
            await LockAsync(connection, cancellationToken).ConfigureAwait(false);
            foreach (string tenant in await TenantsAsync(connection, cancellationToken).ConfigureAwait(false))
            {
                while (await projection.FoldPageAsync(connection, tenant, building, page: null, PageSize, cancellationToken).ConfigureAwait(false))
                {
                }
            }
            await Sql.ExecuteAsync(connection, projection.CreateViews(building), cancellationToken).ConfigureAwait(false);
            await Sql.ExecuteAsync(
                connection,
                $"""
                update {tables.Schema}.projection
                set generation = building, made_by = building_by, building = null, building_by = null, building_build = null where name = $1
                """,
                cancellationToken, projection.Name).ConfigureAwait(false);
            await transaction.CommitAsync(cancellationToken).ConfigureAwait(false);
        }
    }

    /// <summary>Drops all generations but one, also those that an interrupted rebuild could not drop any more.</summary>
    private async Task DropOthersAsync(NpgsqlConnection connection, int keep, CancellationToken cancellationToken)
    {
        List<string> others = await Sql.QueryAsync(
            Sql.Command(
                connection,
                "select relname from pg_class where relnamespace = $1::regnamespace and relkind = 'r' and relname ~ ('^' || $2 || '_[0-9]+$') and relname <> $2 || '_' || $3",
                tables.Schema, projection.Name, $"{keep}"),
            row => row.GetString(0), cancellationToken).ConfigureAwait(false);
        foreach (string table in others)
            await Sql.ExecuteAsync(connection, $"drop table {tables.Schema}.{table}", cancellationToken).ConfigureAwait(false);
        await Sql.ExecuteAsync(
            connection, $"delete from {tables.Schema}.projection_position where name = $1 and generation <> $2", cancellationToken, projection.Name, keep)
            .ConfigureAwait(false);
    }

    /// <summary>Keeps the projection's row until the transaction ends; fails when a newer program is at work.</summary>
    private async Task<State> LockAsync(NpgsqlConnection connection, CancellationToken cancellationToken)
    {
        List<State> rows = await Sql.QueryAsync(
            Sql.Command(
                connection,
                $"""
                select generation, building, building_build, greatest(made_by, building_by, (select version from {tables.Version}))
                from {tables.Schema}.projection where name = $1 for update
                """,
                projection.Name),
            row => new State(row.GetInt32(0), row.IsDBNull(1) ? null : row.GetInt32(1), row.IsDBNull(2) ? null : row.GetGuid(2), row.GetInt32(3)),
            cancellationToken).ConfigureAwait(false);
        State state = rows.Single();
        return state.Newest <= StoreSchema.Current
            ? state
            : throw new MeshException(
                MeshError.StoreIncompatible,
                $"The schema '{tables.Schema}' has version {state.Newest}, this program knows {StoreSchema.Current} and does not rebuild what a newer one keeps. Update it.");
    }

    private Task<bool> ExistsAsync(NpgsqlConnection connection, int generation, CancellationToken cancellationToken) =>
        Sql.ScalarAsync<bool>(connection, "select to_regclass($1) is not null", cancellationToken, projection.Table(generation));

    private Task<List<string>> TenantsAsync(NpgsqlConnection connection, CancellationToken cancellationToken) =>
        Sql.QueryAsync(
            Sql.Command(connection, $"select tenant_id from {tables.Nodes} where {ImportSchema.IsWhole} order by tenant_id"), row => row.GetString(0),
            cancellationToken);

    private async Task UnlockAsync(NpgsqlConnection connection)
    {
        try
        {
            await Sql.ExecuteAsync(connection, "select pg_advisory_unlock(hashtextextended($1, 0))", CancellationToken.None, projection.RebuildLock)
                .ConfigureAwait(false);
        }
        catch (Exception exception) when (StoreErrors.Classify(exception) == MeshError.StoreUnavailable)
        {
            // The connection is gone, and the lock with it; what broke it is on its way already.
        }
    }

    private sealed record State(int Live, int? Building, Guid? BuildingBuild, int Newest);
}
