using EventMesh.Events;
using Npgsql;

namespace EventMesh.Marten.Store.Internal;

/// <summary>
/// Translates between times and places of a log. Times strictly increase with places, so a time is found by halving over the index on places: it needs no
/// index of its own.
/// </summary>
internal sealed class LogClock(LogTables tables)
{
    // The next event there is after the middle, so that a gap at the beginning of the log, which was moved elsewhere, does no harm.
    private readonly string _placeSql =
        $"""
        with recursive search (low, high) as (
            select 0::bigint, node_seq from {tables.Nodes} where tenant_id = $1
            union all
            select case when e.time <= $2 then e.place else s.low end, case when e.time <= $2 then s.high else s.mid - 1 end
            from (select low, high, low + (high - low + 1) / 2 as mid from search where low < high) s
                cross join lateral (
                    select {LogTables.Place} as place, timestamp as time from {tables.Events}
                    where tenant_id = $1 and {LogTables.Place} >= s.mid order by {LogTables.Place} limit 1) e)
        select coalesce(max(low), 0) from search
        """;

    private readonly string _timeSql =
        $"select timestamp from {tables.Events} where tenant_id = $1 and {LogTables.Place} <= $2 order by {LogTables.Place} desc limit 1";

    /// <summary>The last place at or before a time; 0 when the log begins later.</summary>
    public Task<long> PlaceAtAsync(NpgsqlConnection connection, string tenant, DateTimeOffset time, CancellationToken cancellationToken) =>
        Sql.ScalarAsync<long>(connection, _placeSql, cancellationToken, tenant, time.ToUniversalTime());

    /// <summary>The time of the event at a place; null for place 0.</summary>
    public async Task<DateTimeOffset?> TimeOfAsync(NpgsqlConnection connection, string tenant, long seq, CancellationToken cancellationToken)
    {
        List<DateTimeOffset> found = await Sql.QueryAsync(
            Sql.Command(connection, _timeSql, tenant, seq), row => row.GetFieldValue<DateTimeOffset>(0), cancellationToken).ConfigureAwait(false);
        return found.Count > 0 ? found[0] : null;
    }
}
