using System.Globalization;
using EventMesh.Events;
using EventMesh.Identity;
using EventMesh.Journal;
using EventMesh.Marten.Projections.Internal;
using Npgsql;

namespace EventMesh.Marten.Store.Internal;

/// <summary>
/// Reads a node's log in order of place. Marten's own reads follow the sequence of the table, in which the events of one
/// transaction stand grouped by stream.
/// </summary>
internal sealed class LogReader(LogTables tables, EventRegistry registry)
{
    /// <summary>Events in one query: a page is held in memory.</summary>
    public const int PageSize = 1000;

    /// <summary>SQL: what <see cref="Read"/> reads, in its order.</summary>
    public const string Columns =
        $"id, type, data, timestamp, headers ->> '{LogTables.EpochHeader}', {LogTables.Place}, headers ->> '{LogTables.TraceHeader}'";

    private readonly string _positionSql = $"select epoch, node_seq, time from {tables.Nodes} where tenant_id = $1";

    /// <summary>The events that it can read.</summary>
    public EventRegistry Registry => registry;

    public static string Tenant(NodeId node) => node.ToString();

    public async Task<LogPosition> GetPositionAsync(NpgsqlConnection connection, string tenant, CancellationToken cancellationToken)
    {
        List<LogPosition> rows = await Sql.QueryAsync(
            Sql.Command(connection, _positionSql, tenant),
            row => new LogPosition(row.GetInt32(0), row.GetInt64(1), row.GetFieldValue<DateTimeOffset>(2)),
            cancellationToken).ConfigureAwait(false);
        return rows.Count > 0 ? rows[0] : new(0, 0, DateTimeOffset.MinValue);
    }

    /// <summary>The next events after a place, at most <see cref="PageSize"/>; fewer only at the end.</summary>
    public async Task<List<RecordedEvent>> ReadPageAsync(
        NpgsqlConnection connection, string tenant, long after, long upTo, LogFilter filter, CancellationToken cancellationToken) =>
        (await ReadPageAsync(connection, tenant, after, upTo, filter, PageSize, toEnd: false, cancellationToken).ConfigureAwait(false)).Page;

    /// <summary>The next events after a place, at most so many, and how far they reach.</summary>
    public async Task<LogPage> ReadPageAsync(
        NpgsqlConnection connection, string tenant, long after, LogFilter filter, int pageSize, CancellationToken cancellationToken,
        long upTo = long.MaxValue)
    {
        (long end, List<RecordedEvent> events) = await ReadPageAsync(connection, tenant, after, upTo, filter, pageSize, toEnd: true, cancellationToken)
            .ConfigureAwait(false);
        bool isLast = events.Count < pageSize;
        long reached = isLast ? Math.Max(after, end) : events[^1].NodeSeq;
        await CheckWholeAsync(connection, tenant, after, reached, cancellationToken).ConfigureAwait(false);
        return new(after, reached, events, isLast);
    }

    /// <summary>Refuses a range of places of which the log lacks more than dropped months explain: what a filter leaves out has to be there too, or who folds the rest believes a log that nobody recorded.</summary>
    /// <remarks>A month that is dropped between the two questions is counted as there and as dropped, never as neither.</remarks>
    public async Task CheckWholeAsync(NpgsqlConnection connection, string tenant, long after, long upTo, CancellationToken cancellationToken)
    {
        long missing = upTo - after - await CountAsync(connection, tenant, after, upTo, LogFilter.None, cancellationToken).ConfigureAwait(false);
        if (missing <= 0)
            return;
        List<(long First, long Last, long Count)> dropped = await GetDroppedMonthsAsync(connection, tenant, cancellationToken).ConfigureAwait(false);
        long explained = LogGaps.MostExplained(after, upTo, dropped);
        if (missing > explained)
            throw new MeshException(
                MeshError.StoreIncompatible,
                $"The log of node {tenant} lacks {missing - explained} of the places {after + 1} to {upTo}, and no event says that their month was removed. `mesh audit verify` names them; restore the log from a backup.");
    }

    // The end is where the log ended at the first statement, or the last place that was asked for; a page that tells how far it reaches must not go beyond it.
    private async Task<(long End, List<RecordedEvent> Page)> ReadPageAsync(
        NpgsqlConnection connection, string tenant, long after, long upTo, LogFilter filter, int pageSize, bool toEnd, CancellationToken cancellationToken)
    {
        (long at, long? end, List<RecordedEvent> page) = await QueryAsync(
            connection, BlockReader.HotPage(tables, filter, pageSize), Values(tenant, after, upTo, filter), cancellationToken).ConfigureAwait(false);
        long last = Math.Min(upTo, end ?? 0);
        if (after >= at)
            return (last, page);
        if (toEnd)
            upTo = last;
        // Closed months may lie ahead.
        List<RecordedEvent> all = [];
        while (all.Count < pageSize && after < upTo)
        {
            (at, _, page) = await QueryAsync(
                connection, BlockReader.MergedPage(tables, filter, pageSize), Values(tenant, after, upTo, filter), cancellationToken).ConfigureAwait(false);
            all.AddRange(page);
            after = page.Count < pageSize ? at : page[^1].NodeSeq;
        }
        if (all.Count > pageSize)
            all.RemoveRange(pageSize, all.Count - pageSize);
        return (last, all);
    }

    /// <summary>Which of some events stand in closed months.</summary>
    public Task<List<Guid>> FindArchivedAsync(NpgsqlConnection connection, string tenant, IReadOnlyCollection<Guid> ids, CancellationToken cancellationToken) =>
        BlockReader.FindAsync(connection, tables, tenant, ids, cancellationToken);

    /// <summary>The ranges of places out of which a month was dropped, of a node, and what is before a range that was imported.</summary>
    public async Task<List<(long First, long Last)>> GetDroppedAsync(NpgsqlConnection connection, string tenant, CancellationToken cancellationToken) =>
        [.. (await GetDroppedMonthsAsync(connection, tenant, cancellationToken).ConfigureAwait(false)).Select(month => (month.First, month.Last))];

    /// <summary>The same, with how many events are gone.</summary>
    public Task<List<(long First, long Last, long Count)>> GetDroppedMonthsAsync(NpgsqlConnection connection, string tenant, CancellationToken cancellationToken) =>
        Sql.QueryAsync(
            Sql.Command(connection,
                $"""
                select first_seq, last_seq, count from {tables.Segments} where tenant_id = $1 and dropped_seq is not null
                union all
                select 1, chained_from - 1, chained_from - 1 from {tables.Nodes} where tenant_id = $1 and imported is not null and chained_from > 1
                order by 1
                """,
                tenant),
            row => (row.GetInt64(0), row.GetInt64(1), row.GetInt64(2)), cancellationToken);

    /// <summary>How many events a log holds after a place.</summary>
    public Task<long> CountAsync(NpgsqlConnection connection, string tenant, long after, long upTo, LogFilter filter, CancellationToken cancellationToken)
    {
        return Sql.ScalarAsync<long>(connection, BlockReader.Count(tables, filter), cancellationToken, Values(tenant, after, upTo, filter));
    }

    private static object[] Values(string tenant, long after, long upTo, LogFilter filter) =>
        filter.Values is null ? [tenant, after, upTo] : [tenant, after, upTo, filter.Values];

    // The first row, without an id, has a place that the statement tells beside its page, and the log's end where it asks for that.
    private async Task<(long Place, long? End, List<RecordedEvent> Page)> QueryAsync(
        NpgsqlConnection connection, string text, object[] values, CancellationToken cancellationToken)
    {
        long place = 0;
        long? end = null;
        List<RecordedEvent?> rows = await Sql.QueryAsync(
            Sql.Command(connection, text, values),
            row =>
            {
                if (!row.IsDBNull(0))
                    return Read(row);
                place = row.GetInt64(5);
                end = row.IsDBNull(6) ? null : long.Parse(row.GetString(6), CultureInfo.InvariantCulture);
                return null;
            },
            cancellationToken).ConfigureAwait(false);
        return (place, end, [.. rows.OfType<RecordedEvent>()]);
    }

    /// <summary>The event of a row with <see cref="Columns"/>.</summary>
    public RecordedEvent Read(NpgsqlDataReader row)
    {
        EventDescriptor descriptor = registry.Get(row.GetString(1));
        return new RecordedEvent(
            row.GetGuid(0), int.Parse(row.GetString(4), CultureInfo.InvariantCulture), row.GetInt64(5), row.GetFieldValue<DateTimeOffset>(3),
            MeshJson.Deserialize(descriptor, row.GetFieldValue<byte[]>(2)), row.IsDBNull(6) ? null : row.GetString(6));
    }
}
