using System.Globalization;
using System.Text.Json;
using EventMesh.Identity;
using EventMesh.Journal;
using EventMesh.Marten.Store.Internal;
using Npgsql;

namespace EventMesh.Marten.Audit.Internal;

/// <summary>Reads the stored rows of a log and the notes about its chain.</summary>
internal sealed class LogChain(LogTables tables)
{
    private readonly string _pageSql =
        $"""
        select {LogTables.Place}, id, type, data, timestamp, headers ->> '{LogTables.EpochHeader}', headers ->> '{LogTables.TraceHeader}',
            headers ->> '{LogTables.HashHeader}', stream_id, headers ->> '{LogTables.WasHeader}', headers ->> '{LogTables.ErasedHeader}'
        from {tables.Events}
        where tenant_id = $1 and {LogTables.Place} > $2 and {LogTables.Place} <= $3
        order by {LogTables.Place}
        limit {LogReader.PageSize}
        """;

    /// <summary>The note of a log's end; null for a log that is not there.</summary>
    public async Task<ChainEnd?> GetEndAsync(NpgsqlConnection connection, NodeId node, CancellationToken cancellationToken)
    {
        NpgsqlCommand command = Sql.Command(
            connection, $"select epoch, node_seq, time, hash, chained_from from {tables.Nodes} where tenant_id = $1", LogReader.Tenant(node));
        List<ChainEnd> rows = await Sql.QueryAsync(
            command,
            row => new ChainEnd(
                row.GetInt32(0), row.GetInt64(1), row.GetFieldValue<DateTimeOffset>(2), row.IsDBNull(3) ? null : row.GetFieldValue<byte[]>(3),
                row.IsDBNull(4) ? null : row.GetInt64(4)),
            cancellationToken).ConfigureAwait(false);
        return rows.Count > 0 ? rows[0] : null;
    }

    /// <summary>The next rows after a place; fewer than <see cref="LogReader.PageSize"/> only at the end.</summary>
    public Task<List<AuditRow>> ReadPageAsync(NpgsqlConnection connection, NodeId node, long after, long upTo, CancellationToken cancellationToken) =>
        Sql.QueryAsync(Sql.Command(connection, _pageSql, LogReader.Tenant(node), after, upTo), Read, cancellationToken);

    /// <summary>The rows without a place, at a place that another has too, and beyond the end: those that a walk does not meet.</summary>
    /// <param name="connection">The connection.</param>
    /// <param name="node">The node.</param>
    /// <param name="upTo">The last place of the walk.</param>
    /// <param name="cancellationToken">Ends the query.</param>
    public async Task<(long Known, long Elsewhere)> CountAsync(NpgsqlConnection connection, NodeId node, long upTo, CancellationToken cancellationToken)
    {
        string text =
            $"""
            select count(*) filter (where {LogTables.Place} between 1 and $2),
                count(*) filter (where {LogTables.Place} is null or {LogTables.Place} < 1
                    or {LogTables.Place} > (select node_seq from {tables.Nodes} where tenant_id = $1))
            from {tables.Events} where tenant_id = $1
            """;
        return (await Sql.QueryAsync(Sql.Command(connection, text, LogReader.Tenant(node), upTo), row => (row.GetInt64(0), row.GetInt64(1)), cancellationToken)
            .ConfigureAwait(false))[0];
    }

    /// <summary>The links at places.</summary>
    public async Task<Dictionary<long, byte[]?>> GetLinksAsync(
        NpgsqlConnection connection, NodeId node, IReadOnlyList<long> places, CancellationToken cancellationToken)
    {
        string text =
            $"""
            select {LogTables.Place}, headers ->> '{LogTables.HashHeader}' from {tables.Events}
            where tenant_id = $1 and {LogTables.Place} = any($2)
            """;
        List<(long Place, byte[]? Link)> rows = await Sql.QueryAsync(
            Sql.Command(connection, text, LogReader.Tenant(node), places.ToArray()), row => (row.GetInt64(0), Bytes(row, 1)), cancellationToken).ConfigureAwait(false);
        return rows.DistinctBy(row => row.Place).ToDictionary(row => row.Place, row => row.Link);
    }

    /// <summary>The end of what is committed; null without a chain.</summary>
    public static async Task<LogHead?> GetHeadAsync(StoreSession session, NodeId node, CancellationToken cancellationToken)
    {
        NpgsqlConnection connection = await session.Source.OpenConnectionAsync(cancellationToken).ConfigureAwait(false);
        await using (connection.ConfigureAwait(false))
        {
            ChainEnd? end = await new LogChain(session.Tables).GetEndAsync(connection, node, cancellationToken).ConfigureAwait(false);
            return end?.Hash is { } hash ? new LogHead(end.Place, hash) : null;
        }
    }

    // Whatever somebody has written into a row, it is a finding and no failure.
    private static AuditRow Read(NpgsqlDataReader row) => new(
        row.GetInt64(0), row.GetGuid(1), row.GetString(2), row.GetFieldValue<byte[]>(3), row.GetFieldValue<DateTimeOffset>(4),
        int.TryParse(Text(row, 5), CultureInfo.InvariantCulture, out int epoch) ? epoch : 0, Text(row, 6), Bytes(row, 7), Text(row, 8) ?? "")
    {
        Was = Bytes(row, 9),
        Erasures = Erasures(Text(row, 10)),
    };

    private static string? Text(NpgsqlDataReader row, int ordinal) => row.IsDBNull(ordinal) ? null : row.GetString(ordinal);

    private static byte[]? Bytes(NpgsqlDataReader row, int ordinal)
    {
        byte[] bytes = new byte[64];
        return Text(row, ordinal) is { Length: < 64 } text && Convert.TryFromBase64String(text, bytes, out int written) ? bytes[..written] : null;
    }

    private static IReadOnlyList<(long By, byte[] Digest)> Erasures(string? json)
    {
        if (json is null)
            return [];
        try
        {
            using JsonDocument document = JsonDocument.Parse(json);
            return [.. document.RootElement.EnumerateArray().Select(each => (each.GetProperty("by").GetInt64(), each.GetProperty("digest").GetBytesFromBase64()))];
        }
        catch (Exception exception) when (exception is JsonException or InvalidOperationException or KeyNotFoundException or FormatException)
        {
            // Erased by nothing that the log knows.
            return [(0, [])];
        }
    }
}
