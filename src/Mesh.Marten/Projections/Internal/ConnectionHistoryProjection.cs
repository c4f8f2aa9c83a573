using EventMesh.Events;
using EventMesh.Marten.Store.Internal;
using EventMesh.Projections;
using Npgsql;

namespace EventMesh.Marten.Projections.Internal;

/// <summary>Every connection that ever stood, one row each.</summary>
internal sealed class ConnectionHistoryProjection(string schema, NpgsqlDataSource? source, LogReader? reader)
    : LogProjection("connection_history", schema, source, reader, typeof(ConnectionOpened), typeof(ConnectionClosed))
{
    public const string ColumnNames =
        "node_id, connection, peer, remote, direction, opened_at, closed_at, reason, bytes_sent, bytes_received, messages_sent, messages_received, opened_seq, closed_seq";

    private static readonly IReadOnlyList<(string Name, string Type)> Columns =
    [
        ("node_id", "uuid"), ("connection", "uuid"), ("peer", "text"), ("remote", "text"), ("direction", "text"), ("opened_at", "timestamptz"),
        ("opened_seq", "bigint"), ("closed_at", "timestamptz"), ("closed_seq", "bigint"), ("reason", "text"), ("bytes_sent", "bigint"),
        ("bytes_received", "bigint"), ("messages_sent", "bigint"), ("messages_received", "bigint"),
    ];

    public override string CreateTable(int generation)
    {
        string table = Table(generation);
        return
            $"""
            create table {table} (
                node_id uuid not null,
                connection uuid not null,
                peer text not null,
                remote text not null,
                direction text not null,
                opened_at timestamptz not null,
                closed_at timestamptz,
                reason text,
                bytes_sent bigint,
                bytes_received bigint,
                messages_sent bigint,
                messages_received bigint,
                opened_seq bigint not null,
                closed_seq bigint);
            create unique index {Name}_{generation}_open on {table} (node_id, connection) where closed_at is null;

            """;
    }

    public override string CreateIndexes(int generation) =>
        $"""
        alter table {Table(generation)} drop constraint if exists {Name}_{generation}_pkey,
            add constraint {Name}_{generation}_pkey primary key (node_id, connection);
        create unique index if not exists {Name}_{generation}_place on {Table(generation)} (node_id, opened_seq);
        create index if not exists {Name}_{generation}_peer on {Table(generation)} (node_id, peer, opened_seq);

        """ + CreateIntervalIndex($"{generation}");

    public override string CreateIntervalIndex(string generation) =>
        IntervalIndex.Create(Schema, $"{Name}_{generation}", "opened_at", "closed_at", "closed_at is not null");

    public override string CreateViews(int generation) =>
        $"""
        create or replace view {Schema}.{Name} as select {ColumnNames} from {Table(generation)};

        """;

    public override LogFold BeginFold(int generation, Guid node) => new PageFold(Table(generation), node);

    private static Func<NpgsqlConnection, CancellationToken, Task> Fold(string table, Guid node, IReadOnlyList<RecordedEvent> page)
    {
        // A connection that opens and closes within the page is one row from the start.
        ConnectionState state = ConnectionState.Empty;
        Dictionary<Guid, (OpenConnection Connection, long Seq)> opened = [];
        Dictionary<Guid, (ConnectionClosed Data, RecordedEvent Event)> closed = [];
        foreach (RecordedEvent recorded in page)
        {
            state = ConnectionState.Apply(state, recorded);
            if (recorded.Data is ConnectionOpened open && state.Open.TryGetValue(open.Connection, out OpenConnection? entry))
                opened[open.Connection] = (entry, recorded.NodeSeq);
            else if (recorded.Data is ConnectionClosed close)
                // Of two ends the first counts, on whichever page the second is.
                closed.TryAdd(close.Connection, (close, recorded));
        }
        (ConnectionClosed Data, RecordedEvent Event)[] earlier = [.. closed.Where(c => !opened.ContainsKey(c.Key)).Select(c => c.Value)];
        return async (connection, cancellationToken) =>
        {
            await Sql.AddAsync(connection, table, Columns, opened.Values, o => Row(o.Connection, o.Seq), cancellationToken).ConfigureAwait(false);
            if (earlier.Length > 0)
                await CloseAsync(connection, table, node, earlier, cancellationToken).ConfigureAwait(false);
        };

        object?[] Row(OpenConnection open, long seq)
        {
            object?[] head =
                [node, open.Connection, open.Peer.ToString(), open.Remote.ToString(), Texts.Write(open.Direction), open.OpenedAt.ToUniversalTime(), seq];
            return closed.TryGetValue(open.Connection, out (ConnectionClosed Data, RecordedEvent Event) end)
                ?
                [
                    .. head, end.Event.Time.ToUniversalTime(), end.Event.NodeSeq, Texts.Write(end.Data.Reason), end.Data.BytesSent, end.Data.BytesReceived,
                    end.Data.MessagesSent, end.Data.MessagesReceived,
                ]
                : [.. head, null, null, null, null, null, null, null];
        }
    }

    private static Task<int> CloseAsync(
        NpgsqlConnection connection, string table, Guid node, (ConnectionClosed Data, RecordedEvent Event)[] closed, CancellationToken cancellationToken)
    {
        return Sql.ExecutePreparedAsync(
            connection,
            $"""
            update {table} as t set closed_at = c.at, closed_seq = c.seq, reason = c.reason, bytes_sent = c.bytes_sent, bytes_received = c.bytes_received,
                messages_sent = c.messages_sent, messages_received = c.messages_received
            from unnest($2::uuid[], $3::timestamptz[], $4::bigint[], $5::text[], $6::bigint[], $7::bigint[], $8::bigint[], $9::bigint[])
                as c (connection, at, seq, reason, bytes_sent, bytes_received, messages_sent, messages_received)
            where t.node_id = $1 and t.connection = c.connection and t.closed_at is null
            """,
            cancellationToken,
            node, Values(c => c.Data.Connection), Values(c => c.Event.Time.ToUniversalTime()), Values(c => c.Event.NodeSeq),
            Values(c => Texts.Write(c.Data.Reason)), Values(c => c.Data.BytesSent), Values(c => c.Data.BytesReceived), Values(c => c.Data.MessagesSent),
            Values(c => c.Data.MessagesReceived));

        T[] Values<T>(Func<(ConnectionClosed Data, RecordedEvent Event), T> value) => Array.ConvertAll(closed, c => value(c));
    }

    // A connection that an earlier page opened is closed in the table: nothing to remember.
    private sealed class PageFold(string table, Guid node) : LogFold
    {
        public override Func<NpgsqlConnection, CancellationToken, Task> Fold(IReadOnlyList<RecordedEvent> page) => ConnectionHistoryProjection.Fold(table, node, page);
    }
}
