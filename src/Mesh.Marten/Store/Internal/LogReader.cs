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
    public Task<List<RecordedEvent>> ReadPageAsync(
        NpgsqlConnection connection, string tenant, long after, long upTo, LogFilter filter, CancellationToken cancellationToken) =>
        ReadPageAsync(connection, tenant, after, upTo, filter, PageSize, cancellationToken);

    /// <summary>The next events after a place, at most so many, and how far they reach.</summary>
    public async Task<LogPage> ReadPageAsync(
        NpgsqlConnection connection, string tenant, long after, LogFilter filter, int pageSize, CancellationToken cancellationToken)
    {
        LogPosition end = await GetPositionAsync(connection, tenant, cancellationToken).ConfigureAwait(false);
        List<RecordedEvent> events = await ReadPageAsync(connection, tenant, after, end.NodeSeq, filter, pageSize, cancellationToken).ConfigureAwait(false);
        bool isLast = events.Count < pageSize;
        return new(after, isLast ? Math.Max(after, end.NodeSeq) : events[^1].NodeSeq, events, isLast);
    }

    private Task<List<RecordedEvent>> ReadPageAsync(
        NpgsqlConnection connection, string tenant, long after, long upTo, LogFilter filter, int pageSize, CancellationToken cancellationToken)
    {
        string text =
            $"""
            select id, type, data, timestamp, headers ->> '{LogTables.EpochHeader}', {LogTables.Place},
                headers ->> '{LogTables.TraceHeader}'
            from {tables.Events}
            where tenant_id = $1 and {LogTables.Place} > $2 and {LogTables.Place} <= $3 {filter.Condition}
            order by {LogTables.Place}
            limit {pageSize}
            """;
        object[] values = filter.Values is null ? [tenant, after, upTo] : [tenant, after, upTo, filter.Values];
        return Sql.QueryAsync(Sql.Command(connection, text, values), Read, cancellationToken);
    }

    private RecordedEvent Read(NpgsqlDataReader row)
    {
        EventDescriptor descriptor = registry.Get(row.GetString(1));
        return new RecordedEvent(
            row.GetGuid(0), int.Parse(row.GetString(4), CultureInfo.InvariantCulture), row.GetInt64(5), row.GetFieldValue<DateTimeOffset>(3),
            MeshJson.Deserialize(descriptor, row.GetFieldValue<byte[]>(2)), row.IsDBNull(6) ? null : row.GetString(6));
    }
}
