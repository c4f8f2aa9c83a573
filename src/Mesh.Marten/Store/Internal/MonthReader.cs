using EventMesh.Events;
using EventMesh.Journal;
using Npgsql;

namespace EventMesh.Marten.Store.Internal;

/// <summary>Finds where the last month of a node's log begins, which the snapshots of both monthly families open.</summary>
internal sealed class MonthReader(LogTables tables, EventRegistry registry)
{
    // What opens a month is the first event of its stream, wherever the month stands by now: a look into each stream, not into the log.
    private readonly string _findSql =
        $"""
        with first as (
            select e.type, {LogTables.Place} as place
            from {tables.Streams} s join {tables.Events} e on e.tenant_id = s.tenant_id and e.stream_id = s.id and e.version = 1
            where s.tenant_id = $1 and (s.id like 'peers/%' or s.id like 'cache/%')
            union all
            select types[1], seqs[1] from {tables.Blocks} where tenant_id = $1 and first_version = 1)
        select max(peers.place)
        from first peers join first cache on cache.place = peers.place + 1
        where peers.type = any($2) and cache.type = any($3)
        """;

    /// <summary>The place of the first of the two snapshots; null where no month has both.</summary>
    public async Task<long?> FindAsync(NpgsqlConnection connection, string tenant, CancellationToken cancellationToken)
    {
        List<long?> rows = await Sql.QueryAsync(
            Sql.Command(connection, _findSql, tenant, Names(typeof(PeersSegmentOpened)), Names(typeof(CacheSegmentOpened))),
            row => row.IsDBNull(0) ? (long?)null : row.GetInt64(0), cancellationToken).ConfigureAwait(false);
        return rows[0];
    }

    private string[] Names(Type type) => [.. registry.Readable.Where(descriptor => descriptor.Type == type).Select(descriptor => descriptor.WireName)];
}
