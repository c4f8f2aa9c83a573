using EventMesh.Events;
using EventMesh.Identity;
using EventMesh.Journal;
using EventMesh.Journal.Internal;
using Npgsql;
using NpgsqlTypes;

namespace EventMesh.Marten.Store.Internal;

/// <summary>
/// Appends to a node's log, one statement a batch, in the rows that Marten would write: docs/adr/0006-append-a-batch-in-one-statement.md. It moves the end of the node's log on,
/// which holds only for the claimed epoch and the next place: so places are unique and without a gap, and of two processes one waits for
/// the other and then fails.
/// </summary>
internal sealed class LogWriter(NpgsqlDataSource source, LogTables tables, LogReader reader, EventRegistry registry, AppendPressure pressure)
{
    private readonly string _enterSql =
        $"insert into {tables.Nodes} (tenant_id, epoch, node_seq, time) values ($1, 0, 0, 'epoch') on conflict do nothing";

    private readonly string _claimSql = AppendSql(tables, "epoch = $2 - 1");
    private readonly string _appendSql = AppendSql(tables, "epoch = $2");

    private readonly string _headSql = $"select node_seq, hash from {tables.Nodes} where tenant_id = $1";

    private readonly string _findSql = $"select id from {tables.Events} where tenant_id = $1 and id = any($2)";

    // Where the last append left the chain. It saves a question; whether it still holds is decided by the place.
    private Head? _head;

    // Of the batch that was announced last.
    private LogRows? _prepared;

    /// <summary>Makes the rows of the batch that will be appended next.</summary>
    public void Prepare(NodeId node, IReadOnlyList<RecordedEvent> batch)
    {
        pressure.Rise();
        Volatile.Write(ref _prepared, LogRows.From(node, batch, registry));
    }

    public Task ClaimAsync(NodeId node, RecordedEvent started, CancellationToken cancellationToken) =>
        WriteAsync(node, [started], claim: true, cancellationToken);

    public async Task AppendAsync(NodeId node, IReadOnlyList<RecordedEvent> batch, CancellationToken cancellationToken)
    {
        try
        {
            await WriteAsync(node, batch, claim: false, cancellationToken).ConfigureAwait(false);
        }
        finally
        {
            if (Volatile.Read(ref _prepared) is null)
                pressure.Ease();
        }
    }

    public async Task<HashSet<Guid>> FindAsync(NodeId node, IReadOnlyList<Guid> ids, CancellationToken cancellationToken)
    {
        NpgsqlConnection connection = await source.OpenConnectionAsync(cancellationToken).ConfigureAwait(false);
        await using (connection.ConfigureAwait(false))
        {
            NpgsqlCommand command = Sql.Command(connection, _findSql, LogReader.Tenant(node), ids.ToArray());
            return [.. await Sql.QueryAsync(command, row => row.GetGuid(0), cancellationToken).ConfigureAwait(false)];
        }
    }

    // Without a moved end there is nothing to join with, so nothing is written. A stream that takes no more events has no version, which the
    // table refuses. The projections are told with the commit which log has grown.
    private static string AppendSql(LogTables tables, string epochCondition) =>
        $"""
        with moved as (
            update {tables.Nodes} set epoch = $2, node_seq = $3, time = $4, hash = $15, chained_from = coalesce(chained_from, $5)
            where tenant_id = $1 and {epochCondition} and node_seq = $5 - 1 returning 1),
        stream as (
            insert into {tables.Streams} as s (tenant_id, id, version, timestamp, is_archived)
            select $1, added.id, added.count, now(), false from moved, unnest($6, $7) as added (id, count)
            on conflict (tenant_id, id) do update set version = s.version + excluded.version, timestamp = excluded.timestamp where not s.is_archived
            returning id, version),
        base as (
            select array_agg(stream.version - added.count order by added.place) as versions
            from unnest($6, $7) with ordinality as added (id, count, place) left join stream using (id)),
        event as (
            insert into {tables.Events} (seq_id, id, stream_id, version, data, type, timestamp, tenant_id, mt_dotnet_type, headers, is_archived)
            select nextval('{tables.Sequence}'), e.id, ($6)[e.stream], base.versions[e.stream] + e.place, e.data, e.type, e.time, $1, '', e.headers, false
            from moved, base, unnest($8, $9, $10, $11, $12, $13, $14) as e (id, type, data, time, headers, stream, place))
        select count(*), pg_notify('{tables.Channel}', $1) from moved
        """;

    private async Task WriteAsync(NodeId node, IReadOnlyList<RecordedEvent> batch, bool claim, CancellationToken cancellationToken)
    {
        string tenant = LogReader.Tenant(node);
        NpgsqlConnection connection = await source.OpenConnectionAsync(cancellationToken).ConfigureAwait(false);
        await using (connection.ConfigureAwait(false))
        {
            if (claim)
                await Sql.ExecuteAsync(connection, _enterSql, cancellationToken, tenant).ConfigureAwait(false);
            if (_head is not { } head || head.Tenant != tenant || head.NodeSeq != batch[0].NodeSeq - 1)
                head = await ReadHeadAsync(connection, tenant, cancellationToken).ConfigureAwait(false);
            LogRows? prepared = Interlocked.Exchange(ref _prepared, null);
            LogRows rows = prepared?.AreOf(batch) == true ? prepared : LogRows.From(node, batch, registry);
            rows.LinkTo(head.Hash);
            if (await ExecuteAsync(connection, tenant, batch, rows, claim, cancellationToken).ConfigureAwait(false) != 1)
                throw Refusal(node, batch, claim, await reader.GetPositionAsync(connection, tenant, cancellationToken).ConfigureAwait(false));
            _head = new(tenant, batch[^1].NodeSeq, rows.Head);
        }
    }

    // A log that was begun without the chain has none until its next event.
    private async Task<Head> ReadHeadAsync(NpgsqlConnection connection, string tenant, CancellationToken cancellationToken)
    {
        List<Head> rows = await Sql.QueryAsync(
            Sql.Command(connection, _headSql, tenant),
            row => new Head(tenant, row.GetInt64(0), row.IsDBNull(1) ? EventChain.Start.ToArray() : row.GetFieldValue<byte[]>(1)),
            cancellationToken).ConfigureAwait(false);
        return rows.Count > 0 ? rows[0] : new(tenant, 0, EventChain.Start.ToArray());
    }

    private async Task<long> ExecuteAsync(
        NpgsqlConnection connection, string tenant, IReadOnlyList<RecordedEvent> batch, LogRows rows, bool claim, CancellationToken cancellationToken)
    {
        RecordedEvent last = batch[^1];
        NpgsqlCommand command = Sql.Command(
            connection, claim ? _claimSql : _appendSql, tenant, last.Epoch, last.NodeSeq, last.Time.ToUniversalTime(), batch[0].NodeSeq, rows.Streams, rows.Added,
            rows.Ids, rows.Types, Array(rows.Data, NpgsqlDbType.Jsonb), Array(rows.Times, NpgsqlDbType.TimestampTz), Array(rows.Headers, NpgsqlDbType.Jsonb),
            rows.StreamOf, rows.Places, rows.Head);
        await using (command.ConfigureAwait(false))
        {
            // The connection keeps it: planning it takes longer than a small batch.
            await command.PrepareAsync(cancellationToken).ConfigureAwait(false);
            return (long)(await command.ExecuteScalarAsync(cancellationToken).ConfigureAwait(false))!;
        }
    }

    private static NpgsqlParameter Array(object values, NpgsqlDbType element) => new() { Value = values, NpgsqlDbType = NpgsqlDbType.Array | element };

    private static MeshException Refusal(NodeId node, IReadOnlyList<RecordedEvent> batch, bool claim, LogPosition end)
    {
        int expected = claim ? batch[0].Epoch - 1 : batch[0].Epoch;
        return end.Epoch != expected
            ? new(MeshError.EpochLost, $"The log of node {node} belongs to epoch {end.Epoch}, not {expected}: another process took it over.")
            : new(
                MeshError.ConcurrencyConflict,
                $"The log of node {node} ends at place {end.NodeSeq}; a batch that begins at {batch[0].NodeSeq} does not follow it.");
    }

    private sealed record Head(string Tenant, long NodeSeq, byte[] Hash);
}
