using Npgsql;

namespace EventMesh.Marten.Store.Internal;

/// <summary>SQL that reads the table of events and the blocks of closed months as one log, each text in one snapshot of the database.</summary>
/// <remarks>
/// Months only ever move from the one to the other, and a statement sees an event in exactly one of them. A reader first asks the table of events, in a statement that
/// answers for itself whether a closed month may lie after the reader's place; only then is the dearer statement over the partitions needed.
/// </remarks>
internal static class BlockReader
{
    /// <summary>Beyond it no event stands in a block; dropped months count.</summary>
    private static string End(LogTables tables) => $"(select coalesce(max(last_seq), 0) from {tables.Segments} where tenant_id = $1)";

    /// <summary>
    /// A page from the table of events alone, preceded by a row with the place at which the blocks end in its sixth column and that at which the log ends in its seventh;
    /// no more rows when the blocks end after the reader's place.
    /// </summary>
    public static string HotPage(LogTables tables, LogFilter filter, int pageSize) =>
        $"""
        select null::uuid, '', null::jsonb, null::timestamptz, '', {End(tables)}, (select node_seq::text from {tables.Nodes} where tenant_id = $1)
        union all
        (select id, type, data, timestamp, headers ->> '{LogTables.EpochHeader}', {LogTables.Place}, headers ->> '{LogTables.TraceHeader}'
        from {tables.Events}
        where tenant_id = $1 and {LogTables.Place} > $2 and {LogTables.Place} <= $3 {filter.Condition} and $2 >= {End(tables)}
        order by {LogTables.Place}
        limit {pageSize})
        """;

    /// <summary>
    /// A page of both, in order, preceded by a row with the place up to which it is complete in its sixth column.
    /// </summary>
    public static string MergedPage(LogTables tables, LogFilter filter, int pageSize) =>
        Merged(
            tables, filter, pageSize,
            $"id, type, data::text as data, timestamp as time, headers ->> '{LogTables.EpochHeader}' as epoch, {LogTables.Place} as place, headers ->> '{LogTables.TraceHeader}' as trace",
            $"coalesce(id, '00000000-0000-0000-0000-000000000000'), type, data, time, headers::jsonb ->> '{LogTables.EpochHeader}', place, headers::jsonb ->> '{LogTables.TraceHeader}'",
            "null::uuid, '', null, null::timestamptz, '', at, null");

    /// <summary>
    /// A page of both as it is stored, for who trusts nothing of it: place, id, name, content, time, headers, stream and whether it stands in a block. The first row, without an
    /// id, has the place up to which it is complete.
    /// </summary>
    public static string RawPage(LogTables tables, int pageSize) =>
        Merged(
            tables, LogFilter.None, pageSize,
            $"{LogTables.Place} as place, id, type, data::text as data, timestamp as time, headers::text as headers, stream_id::text as stream_id, false as is_cold",
            """
            place, coalesce(id, '00000000-0000-0000-0000-000000000000'), coalesce(type, ''), coalesce(data, ''), coalesce(time, 'epoch'), coalesce(headers, ''),
                stream_id::text, true
            """,
            "at, null::uuid, '', '', null::timestamptz, '', '', false");

    // Of each family it looks into the block that holds the reader's place and the next two; the third says how far that reaches.
    private static string Merged(LogTables tables, LogFilter filter, int pageSize, string hotColumns, string coldColumns, string boundColumns) =>
        $"""
        with near as materialized (
            select b.*, false as is_next from unnest(array['peers', 'cache']) f (name) cross join lateral (
                select * from {tables.Blocks} where tenant_id = $1 and family = f.name and first_seq <= $2 order by first_seq desc limit 1) b
            where b.last_seq > $2 {filter.BlockCondition}
            union all
            select b.*, true from unnest(array['peers', 'cache']) f (name) cross join lateral (
                select * from {tables.Blocks} where tenant_id = $1 and family = f.name and first_seq > $2 and first_seq <= $3 {filter.BlockCondition}
                order by first_seq limit 3) b),
        bound as materialized (
            select least($3, min(at)) as at from (select max(first_seq) - 1 as at from near where is_next group by family having count(*) = 3) x),
        page as (
            select {hotColumns}
            from (
                select * from {tables.Events}
                where tenant_id = $1 and {LogTables.Place} > $2 and {LogTables.Place} <= (select at from bound) {filter.Condition}
                order by {LogTables.Place}
                limit {pageSize}) hot
            union all
            select {coldColumns}
            from (
                select e.*, b.stream_id
                from near b cross join lateral unnest(b.ids, b.types, b.data, b.times, b.headers, b.seqs) as e (id, type, data, time, headers, place)
                where b.first_seq <= (select at from bound) and e.place > $2 and e.place <= (select at from bound)) cold
            where true {filter.Condition}
            order by place
            limit {pageSize})
        select {boundColumns} from bound
        union all
        select * from page
        """;

    /// <summary>How many events both hold.</summary>
    public static string Count(LogTables tables, LogFilter filter) =>
        $"""
        select
            (select count(*) from {tables.Events} where tenant_id = $1 and {LogTables.Place} > $2 and {LogTables.Place} <= $3 {filter.Condition})
            + case when $2 >= {End(tables)} then 0 else (
                select count(*) from (
                    select e.*, b.stream_id from {tables.Blocks} b cross join lateral unnest(b.types, b.seqs) as e (type, place)
                    where b.tenant_id = $1 and b.last_seq > $2 and b.first_seq <= $3 and e.place > $2 and e.place <= $3 {filter.BlockCondition}) cold
                where true {filter.Condition}) end
        """;

    /// <summary>
    /// Which of some ids stand in blocks. An event's id tells when it was recorded (RFC 9562 5.7), and its time is that or, after a clock was set back, later: so
    /// only blocks that end after it can have it.
    /// </summary>
    public static async Task<List<Guid>> FindAsync(
        NpgsqlConnection connection, LogTables tables, string tenant, IReadOnlyCollection<Guid> ids, CancellationToken cancellationToken)
    {
        DateTimeOffset oldest = ids.Min(TimeOf);
        NpgsqlCommand command = Sql.Command(
            connection,
            $"""
            select e.id from {tables.Blocks} b cross join lateral unnest(b.ids) as e (id)
            where b.tenant_id = $1 and b.last_time >= $3 and b.ids && $2 and e.id = any($2)
                and $3 <= (select max(last_time) from {tables.Segments} where tenant_id = $1)
            """,
            tenant, ids.ToArray(), oldest);
        return await Sql.QueryAsync(command, row => row.GetGuid(0), cancellationToken).ConfigureAwait(false);
    }

    private static DateTimeOffset TimeOf(Guid id)
    {
        // Ids of another version say nothing about their time.
        if (id.Version != 7)
            return DateTimeOffset.UnixEpoch;
        Span<byte> bytes = stackalloc byte[16];
        id.TryWriteBytes(bytes, bigEndian: true, out _);
        long milliseconds = 0;
        for (int i = 0; i < 6; i++)
            milliseconds = (milliseconds << 8) | bytes[i];
        return DateTimeOffset.FromUnixTimeMilliseconds(Math.Min(milliseconds, DateTimeOffset.MaxValue.ToUnixTimeMilliseconds()));
    }
}
