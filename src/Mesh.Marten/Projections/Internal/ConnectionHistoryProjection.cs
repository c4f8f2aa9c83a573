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

    public override string CreateTable(int generation)
    {
        string table = Table(generation);
        string name = $"{Name}_{generation}";
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
                closed_seq bigint,
                primary key (node_id, connection));
            create unique index {name}_place on {table} (node_id, opened_seq);
            create index {name}_peer on {table} (node_id, peer, opened_seq);

            """;
    }

    public override string CreateViews(int generation) =>
        $"""
        create or replace view {Schema}.{Name} as select {ColumnNames} from {Table(generation)};

        """;

    protected override async Task WriteAsync(
        NpgsqlConnection connection, int generation, Guid node, IReadOnlyList<RecordedEvent> page, CancellationToken cancellationToken)
    {
        string table = Table(generation);
        ConnectionState state = ConnectionState.Empty;
        NpgsqlBatch batch = connection.CreateBatch();
        await using (batch.ConfigureAwait(false))
        {
            foreach (RecordedEvent recorded in page)
            {
                state = ConnectionState.Apply(state, recorded);
                if (recorded.Data is ConnectionOpened opened && state.Open.TryGetValue(opened.Connection, out OpenConnection? open))
                    batch.BatchCommands.Add(Sql.BatchCommand(
                        $"""
                        insert into {table} (node_id, connection, peer, remote, direction, opened_at, opened_seq) values ($1, $2, $3, $4, $5, $6, $7)
                        """,
                        node, open.Connection, open.Peer.ToString(), open.Remote.ToString(), Texts.Write(open.Direction), open.OpenedAt.ToUniversalTime(),
                        recorded.NodeSeq));
                else if (recorded.Data is ConnectionClosed closed)
                    batch.BatchCommands.Add(Sql.BatchCommand(
                        $"""
                        update {table} set closed_at = $3, closed_seq = $4, reason = $5, bytes_sent = $6, bytes_received = $7, messages_sent = $8,
                            messages_received = $9
                        where node_id = $1 and connection = $2
                        """,
                        node, closed.Connection, recorded.Time.ToUniversalTime(), recorded.NodeSeq, Texts.Write(closed.Reason), closed.BytesSent,
                        closed.BytesReceived, closed.MessagesSent, closed.MessagesReceived));
            }
            await batch.ExecuteNonQueryAsync(cancellationToken).ConfigureAwait(false);
        }
    }
}
