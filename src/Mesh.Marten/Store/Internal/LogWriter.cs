using EventMesh.Events;
using EventMesh.Identity;
using EventMesh.Journal;
using JasperFx.Events;
using Marten;
using Marten.Services;
using Npgsql;
using EventRegistry = EventMesh.Journal.EventRegistry;

namespace EventMesh.Marten.Store.Internal;

/// <summary>
/// Appends to a node's log. Each transaction first moves the end of the node's log on, which holds only for the claimed epoch
/// and the next place: so places are unique and without a gap, and of two processes one waits for the other and then fails.
/// </summary>
internal sealed class LogWriter(NpgsqlDataSource source, IDocumentStore store, LogTables tables, LogReader reader, EventRegistry registry)
{
    private readonly string _enterSql =
        $"insert into {tables.Nodes} (tenant_id, epoch, node_seq, time) values ($1, 0, 0, 'epoch') on conflict do nothing";

    // The projections are told with the commit.
    private readonly string _claimSql =
        $"""
        with moved as (
            update {tables.Nodes} set epoch = $2, node_seq = $3, time = $4 where tenant_id = $1 and epoch = $2 - 1 and node_seq = $5 - 1 returning 1)
        select count(*), pg_notify('{tables.Channel}', '') from moved
        """;

    private readonly string _advanceSql =
        $"""
        with moved as (update {tables.Nodes} set node_seq = $3, time = $4 where tenant_id = $1 and epoch = $2 and node_seq = $5 - 1 returning 1)
        select count(*), pg_notify('{tables.Channel}', '') from moved
        """;

    private readonly string _findSql = $"select id from {tables.Events} where tenant_id = $1 and id = any($2)";

    public Task ClaimAsync(NodeId node, RecordedEvent started, CancellationToken cancellationToken) =>
        WriteAsync(node, [started], claim: true, cancellationToken);

    public Task AppendAsync(NodeId node, IReadOnlyList<RecordedEvent> batch, CancellationToken cancellationToken) =>
        WriteAsync(node, batch, claim: false, cancellationToken);

    public async Task<HashSet<Guid>> FindAsync(NodeId node, IReadOnlyList<Guid> ids, CancellationToken cancellationToken)
    {
        NpgsqlConnection connection = await source.OpenConnectionAsync(cancellationToken).ConfigureAwait(false);
        await using (connection.ConfigureAwait(false))
        {
            NpgsqlCommand command = Sql.Command(connection, _findSql, LogReader.Tenant(node), ids.ToArray());
            return [.. await Sql.QueryAsync(command, row => row.GetGuid(0), cancellationToken).ConfigureAwait(false)];
        }
    }

    private async Task WriteAsync(NodeId node, IReadOnlyList<RecordedEvent> batch, bool claim, CancellationToken cancellationToken)
    {
        string tenant = LogReader.Tenant(node);
        NpgsqlConnection connection = await source.OpenConnectionAsync(cancellationToken).ConfigureAwait(false);
        await using (connection.ConfigureAwait(false))
        {
            NpgsqlTransaction transaction = await connection.BeginTransactionAsync(cancellationToken).ConfigureAwait(false);
            await using (transaction.ConfigureAwait(false))
            {
                if (!await MoveEndAsync(connection, tenant, batch, claim, cancellationToken).ConfigureAwait(false))
                    throw Refusal(node, batch, claim, await reader.GetPositionAsync(connection, tenant, cancellationToken).ConfigureAwait(false));
                SessionOptions options = SessionOptions.ForTransaction(transaction);
                options.TenantId = tenant;
                IDocumentSession session = store.LightweightSession(options);
                await using (session.ConfigureAwait(false))
                {
                    foreach (IGrouping<string, RecordedEvent> stream in batch.GroupBy(registry.StreamKey))
                        Append(session, stream.Key, [.. stream]);
                    await session.SaveChangesAsync(cancellationToken).ConfigureAwait(false);
                }
                await transaction.CommitAsync(cancellationToken).ConfigureAwait(false);
            }
        }
    }

    private async Task<bool> MoveEndAsync(
        NpgsqlConnection connection, string tenant, IReadOnlyList<RecordedEvent> batch, bool claim, CancellationToken cancellationToken)
    {
        RecordedEvent last = batch[^1];
        if (claim)
            await Sql.ExecuteAsync(connection, _enterSql, cancellationToken, tenant).ConfigureAwait(false);
        long moved = await Sql.ScalarAsync<long>(
            connection, claim ? _claimSql : _advanceSql, cancellationToken, tenant, last.Epoch, last.NodeSeq, last.Time.ToUniversalTime(), batch[0].NodeSeq)
            .ConfigureAwait(false);
        return moved == 1;
    }

    private static void Append(IDocumentSession session, string stream, IReadOnlyList<RecordedEvent> events)
    {
        StreamAction action = session.Events.Append(stream, events.Select(recorded => recorded.Data));
        foreach ((IEvent e, RecordedEvent recorded) in action.Events.Zip(events))
        {
            e.Id = recorded.Id;
            e.Timestamp = recorded.Time.ToUniversalTime();
            // Marten fills in the names of CLR types, which may change; the name on disk is all that reading needs.
            e.DotNetTypeName = "";
            e.SetHeader(LogTables.EpochHeader, recorded.Epoch);
            e.SetHeader(LogTables.SeqHeader, recorded.NodeSeq);
            if (recorded.TraceParent is not null)
                e.SetHeader(LogTables.TraceHeader, recorded.TraceParent);
        }
    }

    private static MeshException Refusal(NodeId node, IReadOnlyList<RecordedEvent> batch, bool claim, LogPosition end)
    {
        int expected = claim ? batch[0].Epoch - 1 : batch[0].Epoch;
        return end.Epoch != expected
            ? new(MeshError.EpochLost, $"The log of node {node} belongs to epoch {end.Epoch}, not {expected}: another process took it over.")
            : new(
                MeshError.ConcurrencyConflict,
                $"The log of node {node} ends at place {end.NodeSeq}; a batch that begins at {batch[0].NodeSeq} does not follow it.");
    }
}
