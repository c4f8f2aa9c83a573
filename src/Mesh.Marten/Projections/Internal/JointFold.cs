using EventMesh.Marten.Store.Internal;
using Npgsql;

namespace EventMesh.Marten.Projections.Internal;

/// <summary>
/// Folds a page of a log into several projections in one transaction: for the few events of an idle node, a transaction each would be most of the work. It does
/// all of it or nothing. Where one of them can't, the caller lets each go on by itself.
/// </summary>
internal sealed class JointFold(string schema, ProjectionLease lease)
{
    // As a projection does by itself, but only where there is a position already and it is the page's. In an order, so that no two such transactions wait for each other.
    private readonly string _enterSql =
        $"""
        select p.name, p.generation from {schema}.projection p join {schema}.projection_position at using (name, generation)
        where p.name = any($1) and p.made_by <= {StoreSchema.Current} and at.tenant_id = $2 and at.node_seq = $3
        order by p.name for share of p for no key update of at
        """;

    private readonly string _moveSql =
        $"""
        update {schema}.projection_position as p set node_seq = $4, paused_reason = null, paused_at = null
        from unnest($1::text[], $2::int[]) as g (name, generation)
        where p.name = g.name and p.generation = g.generation and p.tenant_id = $3
        """;

    /// <summary>Folds as the leader of a term; false, and nothing done, when not all of the projections stand where the page begins.</summary>
    public async Task<bool> TryFoldAsync(
        NpgsqlConnection connection, string tenant, LogPage page, IReadOnlyList<LogProjection> projections, long term, CancellationToken cancellationToken)
    {
        NpgsqlTransaction transaction = await connection.BeginTransactionAsync(cancellationToken).ConfigureAwait(false);
        await using (transaction.ConfigureAwait(false))
        {
            await lease.EnterAsync(connection, term, cancellationToken).ConfigureAwait(false);
            NpgsqlCommand enter = await Sql.PrepareAsync(
                connection, _enterSql, cancellationToken, projections.Select(projection => projection.Name).ToArray(), tenant, page.After).ConfigureAwait(false);
            List<(string Name, int Generation)> entered = await Sql.QueryAsync(enter, row => (row.GetString(0), row.GetInt32(1)), cancellationToken)
                .ConfigureAwait(false);
            if (entered.Count < projections.Count)
                return false;
            foreach ((string name, int generation) in entered)
            {
                await projections.Single(projection => projection.Name == name).FoldAsync(connection, tenant, generation, page, cancellationToken)
                    .ConfigureAwait(false);
            }
            await Sql.ExecutePreparedAsync(
                connection, _moveSql, cancellationToken, entered.Select(e => e.Name).ToArray(), entered.Select(e => e.Generation).ToArray(), tenant, page.UpTo)
                .ConfigureAwait(false);
            await transaction.CommitAsync(cancellationToken).ConfigureAwait(false);
            return true;
        }
    }
}
