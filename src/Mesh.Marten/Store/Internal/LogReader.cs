using System.Globalization;
using EventMesh.Events;
using EventMesh.Identity;
using EventMesh.Journal;
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
        NpgsqlConnection connection, string tenant, long after, long upTo, LogFilter filter, CancellationToken cancellationToken)
    {
        string text =
            $"""
            select {Columns}
            from {tables.Events}
            where tenant_id = $1 and {LogTables.Place} > $2 and {LogTables.Place} <= $3 {filter.Condition}
            order by {LogTables.Place}
            limit {PageSize}
            """;
        object[] values = filter.Values is null ? [tenant, after, upTo] : [tenant, after, upTo, filter.Values];
        return Sql.QueryAsync(Sql.Command(connection, text, values), Read, cancellationToken);
    }

    /// <summary>How many events a log holds after a place.</summary>
    public Task<long> CountAsync(NpgsqlConnection connection, string tenant, long after, long upTo, LogFilter filter, CancellationToken cancellationToken)
    {
        string text =
            $"""
            select count(*) from {tables.Events}
            where tenant_id = $1 and {LogTables.Place} > $2 and {LogTables.Place} <= $3 {filter.Condition}
            """;
        object[] values = filter.Values is null ? [tenant, after, upTo] : [tenant, after, upTo, filter.Values];
        return Sql.ScalarAsync<long>(connection, text, cancellationToken, values);
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
