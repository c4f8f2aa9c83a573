using EventMesh.Marten.Queries;
using EventMesh.Marten.Store.Internal;
using Npgsql;

namespace EventMesh.Marten.Projections.Internal;

/// <summary>Tells how far projections have followed a node's log: what is kept in tables, and who holds locks now.</summary>
internal sealed class ProjectionStatusReader(LogTables tables)
{
    // pg_locks shows the two halves of an advisory lock's number.
    private readonly string _statusSql =
        $"""
        select coalesce(at.node_seq, 0), coalesce(n.node_seq, 0), at.paused_reason, at.paused_at,
            case when p.building is not null then coalesce(b.node_seq, 0) end,
            exists (select from pg_locks l where l.locktype = 'advisory' and l.objsubid = 1 and l.granted
                and l.database = (select oid from pg_database where datname = current_database())
                and ((l.classid::bigint << 32) | l.objid::bigint) = hashtextextended($3, 0))
        from {tables.Schema}.projection p
            left join {tables.Nodes} n on n.tenant_id = $2
            left join {tables.Schema}.projection_position at on (at.name, at.generation, at.tenant_id) = (p.name, p.generation, $2)
            left join {tables.Schema}.projection_position b on (b.name, b.generation, b.tenant_id) = (p.name, p.building, $2)
        where p.name = $1
        """;

    public async Task<ProjectionStatus> ReadAsync(NpgsqlConnection connection, LogProjection projection, string tenant, CancellationToken cancellationToken)
    {
        List<ProjectionStatus> rows = await Sql.QueryAsync(
            Sql.Command(connection, _statusSql, projection.Name, tenant, projection.RebuildLock),
            row =>
            {
                string? reason = Texts.ReadOptional(row, 2);
                return new ProjectionStatus(projection.Name, row.GetInt64(0), row.GetInt64(1), 0)
                {
                    PausedReason = reason,
                    PausedAt = row.IsDBNull(3) ? null : row.GetFieldValue<DateTimeOffset>(3),
                    RebuiltSeq = row.IsDBNull(4) ? null : row.GetInt64(4),
                    State = reason is not null ? ProjectionState.Paused : row.GetBoolean(5) ? ProjectionState.Rebuilding : ProjectionState.Following,
                };
            },
            cancellationToken).ConfigureAwait(false);
        ProjectionStatus status = rows.Count > 0 ? rows[0] : new(projection.Name, 0, 0, 0);
        if (status.NodeSeq >= status.LogSeq)
            return status;
        (long lag, TimeSpan time) = await CountAsync(connection, projection, tenant, status, cancellationToken).ConfigureAwait(false);
        return status with { Lag = lag, LagTime = time };
    }

    private async Task<(long Lag, TimeSpan Time)> CountAsync(
        NpgsqlConnection connection, LogProjection projection, string tenant, ProjectionStatus status, CancellationToken cancellationToken)
    {
        string text =
            $"""
            select count(*), greatest(extract(epoch from now() - min(timestamp)), 0)::float8 from {tables.Events}
            where tenant_id = $1 and {LogTables.Place} > $2 and {LogTables.Place} <= $3 {projection.Filter.Condition}
            """;
        List<(long, TimeSpan)> rows = await Sql.QueryAsync(
            Sql.Command(connection, text, tenant, status.NodeSeq, status.LogSeq, projection.Filter.Values),
            row => (row.GetInt64(0), row.IsDBNull(1) ? TimeSpan.Zero : TimeSpan.FromSeconds(row.GetDouble(1))), cancellationToken).ConfigureAwait(false);
        return rows[0];
    }
}
