using System.Globalization;
using EventMesh.Events;
using EventMesh.Marten.Store.Internal;
using Npgsql;

namespace EventMesh.Marten.Retention.Internal;

/// <summary>What SQL does to closed months: lists them, moves them block by block, removes them. Each step is one transaction, and begins where the last ended.</summary>
internal sealed class SegmentArchive(LogTables tables)
{
    /// <summary>Events in a block.</summary>
    public const int BlockSize = 1000;

    // A month is closed when the node's log has gone beyond its end: its times only grow, and what a spool still holds is after the log's end.
    private readonly string _nextSql =
        $"""
        select s.tenant_id, s.id from {tables.Schema}.mt_streams s join {tables.Nodes} n on n.tenant_id = s.tenant_id
        where s.id ~ '^(peers|cache)/' and not s.is_archived and ($2::text is null or s.tenant_id = $2)
            and n.time >= to_date(split_part(s.id, '/', 2), 'YYYY-MM')::timestamp at time zone 'UTC' + interval '1 month'
            and $1 >= to_date(split_part(s.id, '/', 2), 'YYYY-MM')::timestamp at time zone 'UTC' + interval '1 month'
        order by split_part(s.id, '/', 2), s.tenant_id, s.id
        limit 1
        """;

    private readonly string _moveSql =
        $"""
        with picked as materialized (
            select seq_id from {tables.Events} where tenant_id = $1 and stream_id = $2 order by version limit {BlockSize}),
        taken as (
            delete from {tables.Events} e using picked p where e.seq_id = p.seq_id
            returning e.tenant_id, e.id, e.type, e.data, e.timestamp, e.headers, e.version, (e.headers ->> '{LogTables.SeqHeader}')::bigint as place),
        block as (
            insert into {tables.Blocks} (tenant_id, stream_id, family, month, first_seq, last_seq, first_time, last_time, first_version, count, first_hash,
                head, kinds, seqs, ids, types, times, data, headers, subjects)
            select $1, $2, split_part($2, '/', 1), to_date(split_part($2, '/', 2), 'YYYY-MM'), min(place), max(place), min(timestamp), max(timestamp),
                min(version), count(*), (array_agg(headers ->> 'hash' order by version))[1], (array_agg(headers ->> 'hash' order by version desc))[1],
                array_agg(distinct type), array_agg(place order by version), array_agg(id order by version), array_agg(type order by version),
                array_agg(timestamp order by version), array_agg(data::text order by version), array_agg(headers::text order by version),
                {SubjectIndex.BlockKeys("taken")}
            from taken having count(*) > 0
            returning *)
        insert into {tables.Segments} as s (tenant_id, stream_id, family, month, first_seq, last_seq, first_time, last_time, count, head)
        select tenant_id, stream_id, family, month, first_seq, last_seq, first_time, last_time, count, head from block
        on conflict (tenant_id, stream_id) do update set
            last_seq = excluded.last_seq, last_time = excluded.last_time, count = s.count + excluded.count, head = excluded.head
        """;

    private readonly string _completeSql =
        $"""
        with done as (
            update {tables.Schema}.mt_streams set is_archived = true
            where tenant_id = $1 and id = $2 and not exists (select 1 from {tables.Events} where tenant_id = $1 and stream_id = $2) returning 1)
        update {tables.Segments} set is_complete = true where tenant_id = $1 and stream_id = $2 and exists (select 1 from done)
        """;

    private readonly string _listSql =
        $"""
        select s.id, coalesce(g.first_seq, h.first_seq), greatest(h.last_seq, g.last_seq), coalesce(g.count, 0) + coalesce(h.count, 0), b.bytes, g.head,
            coalesce(g.is_complete, false), g.dropped_seq is not null,
            n.time >= to_date(split_part(s.id, '/', 2), 'YYYY-MM')::timestamp at time zone 'UTC' + interval '1 month'
        from {tables.Schema}.mt_streams s
            join {tables.Nodes} n on n.tenant_id = s.tenant_id
            left join {tables.Segments} g on g.tenant_id = s.tenant_id and g.stream_id = s.id
            left join lateral (
                select min({LogTables.Place}) as first_seq, max({LogTables.Place}) as last_seq, count(*) as count
                from {tables.Events} e where not s.is_archived and e.tenant_id = s.tenant_id and e.stream_id = s.id) h on true
            left join lateral (
                select coalesce(sum(pg_column_size(b.*)), 0)::bigint as bytes from {tables.Blocks} b
                where b.tenant_id = s.tenant_id and b.stream_id = s.id and b.month = to_date(split_part(s.id, '/', 2), 'YYYY-MM')) b on true
        where s.tenant_id = $1 and s.id ~ '^(peers|cache)/' and (h.count > 0 or g.count > 0)
        order by split_part(s.id, '/', 2), s.id
        """;

    // In order of time, up to the first month that is not archived, not yet projected, or not followed by a month that opens with a snapshot.
    private readonly string _droppableSql =
        $"""
        select g.stream_id from {tables.Segments} g
        where g.tenant_id = $1 and g.family = 'peers' and g.is_complete and g.dropped_seq is null and g.month + interval '1 month' <= $2::timestamptz at time zone 'UTC'
            and not exists (
                select 1 from {tables.Schema}.projection p
                    left join {tables.Schema}.projection_position at on (at.name, at.generation) = (p.name, p.generation) and at.tenant_id = $1
                where coalesce(at.node_seq, 0) < g.last_seq)
            and '{PeersOpened}' = (
                select coalesce(
                    (select e.type from {tables.Events} e where e.tenant_id = $1 and e.stream_id = s.id and e.version = 1),
                    (select b.types[1] from {tables.Blocks} b where b.tenant_id = $1 and b.stream_id = s.id and b.first_version = 1))
                from {tables.Schema}.mt_streams s
                where s.tenant_id = $1 and s.id like 'peers/%' and s.id > g.stream_id order by s.id limit 1)
            and not exists (select 1 from {tables.Segments} o where o.tenant_id = $1 and o.family = 'peers' and o.month < g.month and not o.is_complete)
            and not exists (
                select 1 from {tables.Schema}.mt_streams s where s.tenant_id = $1 and s.id like 'peers/%' and s.id < g.stream_id and not s.is_archived)
        order by g.month
        """;

    // The event is committed: only then, and in one transaction, the rows go.
    private readonly string _dropSql =
        $"""
        with said as (
            select g.stream_id, {LogTables.Place} as place from {tables.Events} e
                join {tables.Segments} g on g.tenant_id = e.tenant_id and g.stream_id = (e.data ->> 'family') || '/' || (e.data ->> 'month')
            where e.tenant_id = $1 and e.stream_id = 'node' and e.type = 'segment.dropped.v1' and g.dropped_seq is null),
        gone as (delete from {tables.Blocks} b using said where b.tenant_id = $1 and b.stream_id = said.stream_id returning 1)
        update {tables.Segments} g set dropped_seq = said.place from said where g.tenant_id = $1 and g.stream_id = said.stream_id
        """;

    private readonly string _saidSql =
        $"""
        select (data ->> 'family') || '/' || (data ->> 'month') from {tables.Events} where tenant_id = $1 and stream_id = 'node' and type = $2
        """;

    private const string PeersOpened = "peer.segment-opened.v1";

    /// <summary>Moves one block of the oldest month that ended before a time; false when there is none.</summary>
    /// <param name="connection">A connection without a transaction.</param>
    /// <param name="endedBefore">The end of the newest month to move.</param>
    /// <param name="tenant">Only this node's; null for all.</param>
    /// <param name="cancellationToken">Gives up; nothing is moved then.</param>
    public async Task<bool> MoveBlockAsync(NpgsqlConnection connection, DateTimeOffset endedBefore, string? tenant, CancellationToken cancellationToken)
    {
        NpgsqlParameter only = new() { Value = (object?)tenant ?? DBNull.Value, NpgsqlDbType = NpgsqlTypes.NpgsqlDbType.Text };
        List<(string Tenant, string Stream)> next = await Sql.QueryAsync(
            Sql.Command(connection, _nextSql, endedBefore.ToUniversalTime(), only), row => (row.GetString(0), row.GetString(1)), cancellationToken)
            .ConfigureAwait(false);
        if (next.Count == 0)
            return false;
        NpgsqlTransaction transaction = await connection.BeginTransactionAsync(cancellationToken).ConfigureAwait(false);
        await using (transaction.ConfigureAwait(false))
        {
            await Sql.ExecuteAsync(connection, _moveSql, cancellationToken, next[0].Tenant, next[0].Stream).ConfigureAwait(false);
            await Sql.ExecuteAsync(connection, _completeSql, cancellationToken, next[0].Tenant, next[0].Stream).ConfigureAwait(false);
            await transaction.CommitAsync(cancellationToken).ConfigureAwait(false);
        }
        return true;
    }

    /// <summary>Makes the partitions of the months ahead, where this role may; a month without one goes to the default partition.</summary>
    public async Task MakePartitionsAsync(NpgsqlConnection connection, DateOnly month, CancellationToken cancellationToken)
    {
        try
        {
            for (int i = 0; i <= SegmentTables.MonthsAhead; i++)
                await Sql.ExecuteAsync(connection, SegmentTables.CreatePartition(tables.Schema, month.AddMonths(i)), cancellationToken).ConfigureAwait(false);
        }
        catch (PostgresException exception) when (exception.SqlState is PostgresErrorCodes.InsufficientPrivilege or PostgresErrorCodes.CheckViolation)
        {
            // The migration made those of the next year; the default partition takes the rest.
        }
    }

    public Task<List<SegmentInfo>> ListAsync(NpgsqlConnection connection, string tenant, CancellationToken cancellationToken) =>
        Sql.QueryAsync(Sql.Command(connection, _listSql, tenant), Read, cancellationToken);

    /// <summary>The streams that may be dropped, the oldest first.</summary>
    public Task<List<string>> FindDroppableAsync(NpgsqlConnection connection, string tenant, DateTimeOffset endedBefore, CancellationToken cancellationToken) =>
        Sql.QueryAsync(Sql.Command(connection, _droppableSql, tenant, endedBefore.ToUniversalTime()), row => row.GetString(0), cancellationToken);

    /// <summary>Removes the months whose removal the log tells; how many.</summary>
    public Task<int> ApplyDropsAsync(NpgsqlConnection connection, string tenant, CancellationToken cancellationToken) =>
        Sql.ExecuteAsync(connection, _dropSql, cancellationToken, tenant);

    /// <summary>The streams about which the log has an event of a name.</summary>
    public async Task<HashSet<string>> FindSaidAsync(NpgsqlConnection connection, string tenant, string wireName, CancellationToken cancellationToken) =>
        [.. await Sql.QueryAsync(Sql.Command(connection, _saidSql, tenant, wireName), row => row.GetString(0), cancellationToken).ConfigureAwait(false)];

    /// <summary>The stream of a month, as in the log.</summary>
    public static string StreamOf(SegmentInfo segment) => $"{NameOf(segment.Family)}/{segment.Month}";

    private static string NameOf(StreamFamily family) => family == StreamFamily.Peers ? "peers" : "cache";

    private static SegmentInfo Read(NpgsqlDataReader row)
    {
        string[] parts = row.GetString(0).Split('/');
        SegmentStatus status = row.GetBoolean(7) ? SegmentStatus.Dropped
            : row.GetBoolean(6) ? SegmentStatus.Archived
            : row.GetBoolean(8) ? SegmentStatus.Closed
            : SegmentStatus.Open;
        return new(
            Enum.Parse<StreamFamily>(parts[0], ignoreCase: true), parts[1], status, row.GetInt64(1), row.GetInt64(2),
            Convert.ToInt64(row.GetValue(3), CultureInfo.InvariantCulture), row.GetInt64(4), row.IsDBNull(5) ? null : row.GetString(5));
    }
}
