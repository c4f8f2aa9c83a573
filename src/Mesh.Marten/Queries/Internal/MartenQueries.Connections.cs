using System.Net;
using EventMesh.Events;
using EventMesh.Identity;
using EventMesh.Marten.Projections.Internal;
using Npgsql;
using NpgsqlTypes;
using Sql = EventMesh.Marten.Store.Internal.Sql;

namespace EventMesh.Marten.Queries.Internal;

/// <content>Connections: one row each, in order of their opening.</content>
internal sealed partial class MartenQueries
{
    public async Task<IReadOnlyList<ConnectionRecord>> GetConnectionsAsync(
        NodeId node, ConnectionFilter filter, CancellationToken cancellationToken = default)
    {
        Check(filter);
        return await RunAsync(
            connection => ReadConnectionsAsync(connection, node, filter, filter.Before, null, filter.Limit, cancellationToken), cancellationToken)
            .ConfigureAwait(false);
    }

    public async Task<HistoryPage<ConnectionRecord>> FindConnectionsAsync(
        NodeId node, ConnectionFilter filter, CancellationToken cancellationToken = default)
    {
        Check(filter);
        string query = $"connections {node} {filter with { After = null, Before = null, Limit = 1, OpenAt = null }} {filter.OpenAt is not null}";
        PageCursor? cursor = PageCursor.Read(filter.After, query);
        return await RunAsync(
            async connection =>
            {
                HistoryPoint asOf = await PointAsync(
                    connection, node, Projection<ConnectionHistoryProjection>(), filter.OpenAt, cursor, cancellationToken).ConfigureAwait(false);
                if (filter.OpenAt is not null && asOf.Time is null)
                    return new HistoryPage<ConnectionRecord>([], asOf, null);
                // One more than asked for tells whether there is a next page. Of what the projection has not folded, open connections must not tell.
                ConnectionFilter stable = filter with { OpenAt = filter.OpenAt is null ? null : asOf.Time };
                long? before = filter.OldestFirst ? asOf.FoldedSeq + 1 : cursor?.Key ?? asOf.FoldedSeq + 1;
                List<ConnectionRecord> rows = await ReadConnectionsAsync(
                    connection, node, stable, before, filter.OldestFirst ? cursor?.Key : null, filter.Limit + 1, cancellationToken).ConfigureAwait(false);
                if (rows.Count <= filter.Limit)
                    return new HistoryPage<ConnectionRecord>(rows, asOf, null);
                rows.RemoveAt(filter.Limit);
                return new HistoryPage<ConnectionRecord>(rows, asOf, new PageCursor(asOf.Seq, asOf.FoldedSeq, rows[^1].OpenedSeq, "").Write(query));
            },
            cancellationToken).ConfigureAwait(false);
    }

    private static void Check(ConnectionFilter filter)
    {
        ArgumentNullException.ThrowIfNull(filter);
        ArgumentOutOfRangeException.ThrowIfLessThan(filter.Limit, 1, nameof(filter));
        ArgumentOutOfRangeException.ThrowIfGreaterThan(filter.Limit, 1000, nameof(filter));
    }

    private Task<List<ConnectionRecord>> ReadConnectionsAsync(
        NpgsqlConnection connection, NodeId node, ConnectionFilter filter, long? before, long? after, int limit, CancellationToken cancellationToken)
    {
        // What stood at a time is few rows anywhere in a long history: they are found by their range first, not by going back from the newest. What stands still
        // has an index of its own.
        string view = $"{session().Tables.Schema}.connection_history";
        string from = filter.OpenAt is null
            ? view
            : $"""
            (select * from {view} where node_id = $1 and closed_at is not null and {session().Tables.Schema}.holds_at(opened_at, closed_at, $4::timestamptz)
            union all select * from {view} where node_id = $1 and closed_at is null and opened_at <= $4 offset 0) c
            """;
        string text =
            $"""
            select connection, peer, remote, direction, opened_at, opened_seq, closed_at, reason, bytes_sent, bytes_received, messages_sent,
                messages_received
            from {from}
            where node_id = $1 and ($2 is null or peer = $2) and ($3 is null or opened_seq < $3)
                and ($4 is null or (opened_at <= $4 and (closed_at is null or closed_at > $4)))
                and ($6 is null or opened_seq > $6) and ($7 is null or reason = $7) and ($8 is null or direction = $8)
                and ($9 is null or (peer >= $9 and peer <= $9 || 'zzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzz' and starts_with(peer, $9)))
            order by opened_seq {(filter.OldestFirst ? "asc" : "desc")}
            limit $5
            """;
        NpgsqlCommand command = Sql.Command(
            connection, text, node.Value, Optional(filter.Peer?.ToString(), NpgsqlDbType.Text), Optional(before, NpgsqlDbType.Bigint),
            Optional(filter.OpenAt?.ToUniversalTime(), NpgsqlDbType.TimestampTz), limit, Optional(after, NpgsqlDbType.Bigint),
            Optional(filter.Reason is { } reason ? Texts.Write(reason) : null, NpgsqlDbType.Text),
            Optional(filter.Direction is { } direction ? Texts.Write(direction) : null, NpgsqlDbType.Text),
            Optional(filter.PeerPrefix, NpgsqlDbType.Text));
        return Sql.QueryAsync(command, ReadConnection, cancellationToken);
    }

    private static NpgsqlParameter Optional(object? value, NpgsqlDbType type) => new() { Value = value ?? DBNull.Value, NpgsqlDbType = type };

    private static ConnectionRecord ReadConnection(NpgsqlDataReader reader)
    {
        ConnectionEnd? end = reader.IsDBNull(6)
            ? null
            : new(
                reader.GetFieldValue<DateTimeOffset>(6), Texts.Read<CloseReason>(reader, 7), reader.GetInt64(8), reader.GetInt64(9), reader.GetInt64(10),
                reader.GetInt64(11));
        return new(
            reader.GetGuid(0), PeerId.Parse(reader.GetString(1)), IPEndPoint.Parse(reader.GetString(2)), Texts.Read<ConnectionDirection>(reader, 3),
            reader.GetFieldValue<DateTimeOffset>(4), reader.GetInt64(5), end);
    }
}
