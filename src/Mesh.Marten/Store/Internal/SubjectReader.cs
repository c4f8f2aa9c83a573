using EventMesh.Events;
using Npgsql;

namespace EventMesh.Marten.Store.Internal;

/// <summary>Reads the events that concern one peer, by <see cref="SubjectIndex"/>.</summary>
internal sealed class SubjectReader(LogTables tables, LogReader reader)
{
    /// <summary>How many events of a peer are looked at for one page of some types: it bounds the time of a page, whatever is asked for.</summary>
    public const int MaxLookedAt = 5_000;

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
