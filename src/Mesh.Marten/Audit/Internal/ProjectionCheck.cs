using EventMesh.Marten.Projections.Internal;
using EventMesh.Marten.Store.Internal;
using Npgsql;

namespace EventMesh.Marten.Audit.Internal;

/// <summary>
/// Folds a node's log into a table beside a projection's, in a transaction that is rolled back, and compares. While it compares, the live projection
/// does not follow this one log.
/// </summary>
internal sealed class ProjectionCheck(StoreSession session, AuditFindings findings)
{
    // No rebuild gets there.
    private const int Beside = 2_000_000_000;

    private const int Shown = 5;

    /// <summary>Compares one projection; false where the role may not make a table.</summary>
    public async Task<bool> RunAsync(LogProjection projection, string tenant, CancellationToken cancellationToken)
    {
        NpgsqlConnection connection = await session.Source.OpenConnectionAsync(cancellationToken).ConfigureAwait(false);
        await using (connection.ConfigureAwait(false))
        {
            NpgsqlTransaction transaction = await connection.BeginTransactionAsync(cancellationToken).ConfigureAwait(false);
            await using (transaction.ConfigureAwait(false))
            {
                try
                {
                    await Sql.ExecuteAsync(connection, projection.CreateTable(Beside), cancellationToken).ConfigureAwait(false);
                }
                catch (PostgresException refused) when (refused.SqlState == PostgresErrorCodes.InsufficientPrivilege)
                {
                    return false;
                }
                await CompareAsync(connection, projection, tenant, cancellationToken).ConfigureAwait(false);
                await transaction.RollbackAsync(cancellationToken).ConfigureAwait(false);
                return true;
            }
        }
    }

    private async Task CompareAsync(NpgsqlConnection connection, LogProjection projection, string tenant, CancellationToken cancellationToken)
    {
        // Most of the log, while the live projection goes on.
        long beside = await FoldAsync(connection, projection, tenant, Beside, long.MaxValue, cancellationToken).ConfigureAwait(false);
        // A rebuild that would switch the generation waits from here on, and the live projection too.
        int live = await Sql.ScalarAsync<int>(
            connection, $"select generation from {session.Tables.Schema}.projection where name = $1 for share", cancellationToken, projection.Name)
            .ConfigureAwait(false);
        long position = await FoldAsync(connection, projection, tenant, live, beside, cancellationToken).ConfigureAwait(false);
        await FoldAsync(connection, projection, tenant, Beside, position, cancellationToken).ConfigureAwait(false);
        await FindAsync(connection, projection, tenant, live, Beside, "is not what the log gives", cancellationToken).ConfigureAwait(false);
        await FindAsync(connection, projection, tenant, Beside, live, "is what the log gives, and is not there", cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Folds up to a place, locking the position; the position then.</summary>
    private async Task<long> FoldAsync(
        NpgsqlConnection connection, LogProjection projection, string tenant, int generation, long upTo, CancellationToken cancellationToken)
    {
        long position = await PositionAsync(connection, projection, tenant, generation, cancellationToken).ConfigureAwait(false);
        if (position >= upTo)
            return position;
        while (await projection.FoldPageAsync(connection, tenant, generation, page: null, LogReader.PageSize, cancellationToken, upTo).ConfigureAwait(false))
        {
        }
        return await PositionAsync(connection, projection, tenant, generation, cancellationToken).ConfigureAwait(false);
    }

    private Task<long> PositionAsync(NpgsqlConnection connection, LogProjection projection, string tenant, int generation, CancellationToken cancellationToken) =>
        Sql.ScalarAsync<long>(
            connection,
            $"""
            insert into {session.Tables.Schema}.projection_position as p (name, generation, tenant_id, node_seq) values ($1, $2, $3, 0)
            on conflict (name, generation, tenant_id) do update set node_seq = p.node_seq returning node_seq
            """,
            cancellationToken, projection.Name, generation, tenant);

    private async Task FindAsync(
        NpgsqlConnection connection, LogProjection projection, string tenant, int has, int lacks, string what, CancellationToken cancellationToken)
    {
        string text =
            $"""
            select left(row::text, 400), count(*) over () from (
                select to_jsonb(t) as row from {projection.Table(has)} t where node_id = $1
                except all select to_jsonb(t) from {projection.Table(lacks)} t where node_id = $1) as difference
            limit {Shown}
            """;
        List<(string Row, long Count)> rows = await Sql.QueryAsync(
            Sql.Command(connection, text, Guid.Parse(tenant)), row => (row.GetString(0), row.GetInt64(1)), cancellationToken).ConfigureAwait(false);
        foreach ((string row, long count) in rows)
            findings.Add(AuditProblem.Projection, null, $"{projection.Name}: {row} {what}" + (count > Shown ? $" (one of {count})" : ""));
    }
}
