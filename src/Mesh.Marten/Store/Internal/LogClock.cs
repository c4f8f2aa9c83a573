using EventMesh.Events;
using Npgsql;

namespace EventMesh.Marten.Store.Internal;

/// <summary>
/// Translates between times and places of a log. Times strictly increase with places, so a time is found by halving over the index on places: it needs no
/// index of its own. Closed months stand in blocks, whose own times and places tell which one to look into; each answer is of one statement, as a month may move meanwhile.
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
        select greatest(
            coalesce(max(low), 0),
            (select max(e.place) from {LastBlock(tables, "first_time")} cross join lateral unnest(b.seqs, b.times) as e (place, time) where e.time <= $2))
        from search
        """;

    private readonly string _timeSql =
        $"""
        select greatest(
            (select timestamp from {tables.Events} where tenant_id = $1 and {LogTables.Place} <= $2 order by {LogTables.Place} desc limit 1),
            (select max(e.time) from {LastBlock(tables, "first_seq")} cross join lateral unnest(b.seqs, b.times) as e (place, time) where e.place <= $2))
        """;

    /// <summary>The last place at or before a time; 0 when the log begins later.</summary>
    public Task<long> PlaceAtAsync(NpgsqlConnection connection, string tenant, DateTimeOffset time, CancellationToken cancellationToken) =>
        Sql.ScalarAsync<long>(connection, _placeSql, cancellationToken, tenant, time.ToUniversalTime());

    /// <summary>The time of the event at a place; null for place 0.</summary>
    public async Task<DateTimeOffset?> TimeOfAsync(NpgsqlConnection connection, string tenant, long seq, CancellationToken cancellationToken)
    {
        List<DateTimeOffset?> found = await Sql.QueryAsync(
            Sql.Command(connection, _timeSql, tenant, seq), row => row.IsDBNull(0) ? (DateTimeOffset?)null : row.GetFieldValue<DateTimeOffset>(0), cancellationToken)
            .ConfigureAwait(false);
        return found[0];
    }

    /// <summary>SQL: of each family the last block that begins at or before $2.</summary>
    private static string LastBlock(LogTables tables, string start) =>
        $"""
        unnest(array['peers', 'cache']) f (name) cross join lateral (
            select seqs, times from {tables.Blocks} where tenant_id = $1 and family = f.name and {start} <= $2 order by {start} desc limit 1) b
        """;
}
