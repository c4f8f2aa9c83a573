using EventMesh.Marten.Store.Internal;
using Npgsql;

namespace EventMesh.Marten.Projections.Internal;

/// <summary>
/// Folds a projection anew into tables beside those in use, then switches its views. Marten's own rebuild empties what readers see,
/// for all nodes, until it is done.
/// </summary>
internal sealed class ProjectionRebuild(LogProjection projection, LogTables tables)
{
    public async Task RunAsync(NpgsqlConnection connection, CancellationToken cancellationToken)
    {
        await StoreSchema.ThrowIfNewerAsync(connection, tables, cancellationToken).ConfigureAwait(false);
        // One rebuild of a projection at a time, whoever asks; the lock ends with the connection when this process does.
        await Sql.ExecuteAsync(connection, "select pg_advisory_lock(hashtextextended($1, 0))", cancellationToken, LockName).ConfigureAwait(false);
        try
        {
            int live = await LiveAsync(connection, "", cancellationToken).ConfigureAwait(false);
            int next = live + 1;
            // A rebuild that was cut short leaves its table.
            await DropAsync(connection, next, cancellationToken).ConfigureAwait(false);
            await Sql.ExecuteAsync(connection, projection.CreateTable(next), cancellationToken).ConfigureAwait(false);
            await FoldAsync(connection, next, cancellationToken).ConfigureAwait(false);
            await SwitchAsync(connection, live, next, cancellationToken).ConfigureAwait(false);
        }
        finally
        {
            await Sql.ExecuteAsync(connection, "select pg_advisory_unlock(hashtextextended($1, 0))", CancellationToken.None, LockName).ConfigureAwait(false);
        }
    }

    private string LockName => $"{tables.Schema}.{projection.Name}";

    /// <summary>Most of the work, a transaction for each page, while the live projection goes on.</summary>
    private async Task FoldAsync(NpgsqlConnection connection, int generation, CancellationToken cancellationToken)
    {
        foreach (string tenant in await TenantsAsync(connection, cancellationToken).ConfigureAwait(false))
        {
            bool more = true;
            while (more)
            {
                NpgsqlTransaction transaction = await connection.BeginTransactionAsync(cancellationToken).ConfigureAwait(false);
                await using (transaction.ConfigureAwait(false))
                {
                    more = await projection.FoldPageAsync(connection, tenant, generation, cancellationToken).ConfigureAwait(false);
                    await transaction.CommitAsync(cancellationToken).ConfigureAwait(false);
                }
            }
        }
    }

    private async Task SwitchAsync(NpgsqlConnection connection, int live, int next, CancellationToken cancellationToken)
    {
        NpgsqlTransaction transaction = await connection.BeginTransactionAsync(cancellationToken).ConfigureAwait(false);
        await using (transaction.ConfigureAwait(false))
        {
            // From here the live projection stands still; what it has seen since, the new one sees too.
            await LiveAsync(connection, "for update", cancellationToken).ConfigureAwait(false);
            foreach (string tenant in await TenantsAsync(connection, cancellationToken).ConfigureAwait(false))
            {
                while (await projection.FoldPageAsync(connection, tenant, next, cancellationToken).ConfigureAwait(false))
                {
                }
            }
            await Sql.ExecuteAsync(connection, projection.CreateViews(next), cancellationToken).ConfigureAwait(false);
            await Sql.ExecuteAsync(
                connection, $"update {tables.Schema}.projection set generation = $2 where name = $1", cancellationToken, projection.Name, next)
                .ConfigureAwait(false);
            await DropAsync(connection, live, cancellationToken).ConfigureAwait(false);
            await transaction.CommitAsync(cancellationToken).ConfigureAwait(false);
        }
    }

    private async Task DropAsync(NpgsqlConnection connection, int generation, CancellationToken cancellationToken)
    {
        await Sql.ExecuteAsync(
            connection, $"delete from {tables.Schema}.projection_position where name = $1 and generation = $2", cancellationToken, projection.Name, generation)
            .ConfigureAwait(false);
        await Sql.ExecuteAsync(connection, $"drop table if exists {projection.Table(generation)}", cancellationToken).ConfigureAwait(false);
    }

    private Task<int> LiveAsync(NpgsqlConnection connection, string locking, CancellationToken cancellationToken) =>
        Sql.ScalarAsync<int>(
            connection, $"select generation from {tables.Schema}.projection where name = $1 {locking}", cancellationToken, projection.Name);

    private Task<List<string>> TenantsAsync(NpgsqlConnection connection, CancellationToken cancellationToken) =>
        Sql.QueryAsync(
            Sql.Command(connection, $"select tenant_id from {tables.Nodes} order by tenant_id"), row => row.GetString(0), cancellationToken);
}
