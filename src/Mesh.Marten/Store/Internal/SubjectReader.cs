using EventMesh.Events;
using Npgsql;

namespace EventMesh.Marten.Store.Internal;

/// <summary>Reads the events that concern one peer, by <see cref="SubjectIndex"/>; of closed months from the blocks that say they have some.</summary>
internal sealed class SubjectReader(LogTables tables, LogReader reader)
{
    /// <summary>How many events of a peer are looked at for one page of some types: it bounds the time of a page, whatever is asked for.</summary>
    public const int MaxLookedAt = 5_000;

    // Of a rare peer a block has an event or two: a page ends after so many blocks and its cursor goes on there.
    private const int BlocksAtOnce = 4;
    private const int MaxSteps = 16;

    /// <summary>The next events of a peer between two places.</summary>
    /// <param name="connection">The connection.</param>
    /// <param name="tenant">The node.</param>
    /// <param name="peer">The peer.</param>
    /// <param name="after">The events after this place.</param>
    /// <param name="upTo">The events up to this place.</param>
    /// <param name="types">Their names on disk; null for all.</param>
    /// <param name="newestFirst">From the last on.</param>
    /// <param name="limit">How many at most.</param>
    /// <param name="cancellationToken">Ends the query.</param>
    /// <returns>The events, and the place up to which all were looked at when that is not the end; a reader goes on from there.</returns>
    public async Task<(List<RecordedEvent> Events, long? LookedAt)> ReadAsync(
        NpgsqlConnection connection, string tenant, string peer, long after, long upTo, string[]? types, bool newestFirst, int limit,
        CancellationToken cancellationToken)
    {
        List<RecordedEvent> all = [];
        for (int step = 1; ; step++)
        {
            // In this order: of a month that moves in between both have the same events.
            (List<RecordedEvent> hot, long? hotAt) = await ReadHotAsync(connection, tenant, peer, after, upTo, types, newestFirst, limit, cancellationToken)
                .ConfigureAwait(false);
            (List<RecordedEvent> cold, long? coldAt) = await ReadColdAsync(connection, tenant, peer, after, upTo, types, newestFirst, limit, cancellationToken)
                .ConfigureAwait(false);
            long? complete = hotAt is null || coldAt is null ? hotAt ?? coldAt : newestFirst ? Math.Max(hotAt.Value, coldAt.Value) : Math.Min(hotAt.Value, coldAt.Value);
            IEnumerable<RecordedEvent> page = hot.Concat(cold).DistinctBy(recorded => recorded.NodeSeq)
                .Where(recorded => complete is null || (newestFirst ? recorded.NodeSeq >= complete : recorded.NodeSeq <= complete));
            all.AddRange(newestFirst ? page.OrderByDescending(recorded => recorded.NodeSeq) : page.OrderBy(recorded => recorded.NodeSeq));
            if (all.Count >= limit)
            {
                all.RemoveRange(limit, all.Count - limit);
                return (all, all[^1].NodeSeq);
            }
            // Without types the table of events has told all up to there, and only blocks are to be read on.
            if (complete is not { } at || step == MaxSteps || (types is not null && at == hotAt))
                return (all, complete);
            (after, upTo) = newestFirst ? (after, at - 1) : (at, upTo);
        }
    }

    /// <summary>Of the next blocks that may have some.</summary>
    private async Task<(List<RecordedEvent> Events, long? LookedAt)> ReadColdAsync(
        NpgsqlConnection connection, string tenant, string peer, long after, long upTo, string[]? types, bool newestFirst, int limit,
        CancellationToken cancellationToken)
    {
        string order = newestFirst ? "desc" : "asc";
        // What is beyond the last block of several more is not known yet. The text is searched before it is read as JSON.
        string text =
            $"""
            with near as materialized (
                    select * from {tables.Blocks}
                    where tenant_id = $1 and {SubjectIndex.BlockCondition} and last_seq > $3 and first_seq <= $4 {(types is null ? "" : "and kinds && $5")}
                    order by {(newestFirst ? "last_seq" : "first_seq")} {order} limit {BlocksAtOnce + 1}),
                bound as materialized (
                    select case when count(*) > {BlocksAtOnce} then {(newestFirst ? "min(last_seq) + 1" : "max(first_seq) - 1")} end as at from near),
                named as materialized (
                    select e.* from near b cross join lateral unnest(b.ids, b.types, b.data, b.times, b.headers, b.seqs) as e (id, type, content, time, head, place)
                    where e.place > $3 and e.place <= $4 and (select at is null or e.place {(newestFirst ? ">=" : "<=")} at from bound)
                        and strpos(e.content, $2) > 0 {(types is null ? "" : "and e.type = any($5)")}),
                found as (
                    select * from (select *, content::jsonb as data, $1::varchar as tenant_id from named) n
                    where ({string.Join(") or (", SubjectIndex.Conditions)})
                    order by place {order} limit {limit})
            select null::uuid, '', null, null::timestamptz, '', at, null from bound
            union all
            select id, type, content, time, head::jsonb ->> '{LogTables.EpochHeader}', place, head::jsonb ->> '{LogTables.TraceHeader}' from found
            """;
        object[] values = types is null ? [tenant, peer, after, upTo] : [tenant, peer, after, upTo, types];
        long? lookedAt = null;
        List<RecordedEvent?> rows = await Sql.QueryAsync(
            Sql.Command(connection, text, values),
            row =>
            {
                if (!row.IsDBNull(0))
                    return reader.Read(row);
                lookedAt = row.IsDBNull(5) ? null : row.GetInt64(5);
                return null;
            },
            cancellationToken).ConfigureAwait(false);
        List<RecordedEvent> events = [.. rows.OfType<RecordedEvent>()];
        return (events, events.Count < limit ? lookedAt : newestFirst ? events.Min(recorded => recorded.NodeSeq) : events.Max(recorded => recorded.NodeSeq));
    }

    private async Task<(List<RecordedEvent> Events, long? LookedAt)> ReadHotAsync(
        NpgsqlConnection connection, string tenant, string peer, long after, long upTo, string[]? types, bool newestFirst, int limit,
        CancellationToken cancellationToken)
    {
        string order = newestFirst ? "desc" : "asc";
        int lookAt = types is null ? limit : MaxLookedAt;
        string candidates = string.Join(" union ", SubjectIndex.Conditions.Select(condition =>
            $"""
            (select seq_id, {SubjectIndex.Place} as place, type as name from {tables.Events}
             where tenant_id = $1 and {condition} and {SubjectIndex.Place} > $3 and {SubjectIndex.Place} <= $4
             order by {SubjectIndex.Place} {order} limit {lookAt})
            """));
        string ofTypes = types is null ? "" : "where name = any($5)";
        string text =
            $"""
            with looked as materialized (select * from ({candidates}) c order by place {order} limit {lookAt}),
                found as (select seq_id, place from looked {ofTypes} order by place {order} limit {limit})
            select {LogReader.Columns}, (select count(*) from looked), (select {(newestFirst ? "min" : "max")}(place) from looked)
            from {tables.Events} join (select seq_id as found_id, place from found) f on seq_id = found_id
            order by place {order}
            """;
        object[] values = types is null ? [tenant, peer, after, upTo] : [tenant, peer, after, upTo, types];
        List<(RecordedEvent Event, long Looked, long Last)> rows = await Sql.QueryAsync(
            Sql.Command(connection, text, values), row => (reader.Read(row), row.GetInt64(7), row.GetInt64(8)), cancellationToken).ConfigureAwait(false);
        List<RecordedEvent> events = [.. rows.Select(row => row.Event)];
        if (events.Count == limit)
            return (events, events[^1].NodeSeq);
        if (types is null)
            return (events, null);
        // None of what was looked at is of these types: how far that went is still to be told.
        (long looked, long last) = rows.Count > 0
            ? (rows[0].Looked, rows[0].Last)
            : (await Sql.QueryAsync(
                Sql.Command(
                    connection,
                    $"select count(*), coalesce({(newestFirst ? "min" : "max")}(place), 0) from (select place from ({candidates}) c order by place {order} limit {lookAt}) l",
                    tenant, peer, after, upTo),
                row => (row.GetInt64(0), row.GetInt64(1)), cancellationToken).ConfigureAwait(false))[0];
        return (events, looked == lookAt ? last : null);
    }
}
