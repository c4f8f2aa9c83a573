using EventMesh.Events;
using EventMesh.Identity;
using Npgsql;

namespace EventMesh.Marten.Store.Internal;

/// <summary>
/// Writes an exported log through the same appends as a node's own, so that whatever goes with an append goes with an imported event too. The log is marked
/// from its first row on, and removed when the import fails; projections follow it once it is whole.
/// </summary>
internal sealed class LogImport(NpgsqlDataSource source, LogTables tables, LogWriter writer)
{
    private const int BatchSize = 512;

    public async Task<long> RunAsync(NodeId node, IAsyncEnumerable<RecordedEvent> events, long? through, CancellationToken cancellationToken)
    {
        string tenant = LogReader.Tenant(node);
        NpgsqlConnection connection = await source.OpenConnectionAsync(cancellationToken).ConfigureAwait(false);
        await using (connection.ConfigureAwait(false))
        {
            string lockName = $"{tables.Schema}.import.{tenant}";
            if (!await Sql.ScalarAsync<bool>(connection, "select pg_try_advisory_lock(hashtextextended($1, 0))", cancellationToken, lockName)
                .ConfigureAwait(false))
                throw new MeshException(MeshError.ConcurrencyConflict, $"The log of node {node} is being imported already.");
            try
            {
                return await ImportAsync(connection, node, tenant, events, through, cancellationToken).ConfigureAwait(false);
            }
            finally
            {
                await Sql.ExecuteAsync(connection, "select pg_advisory_unlock(hashtextextended($1, 0))", CancellationToken.None, lockName).ConfigureAwait(false);
            }
        }
    }

    private async Task<long> ImportAsync(
        NpgsqlConnection connection, NodeId node, string tenant, IAsyncEnumerable<RecordedEvent> events, long? through, CancellationToken cancellationToken)
    {
        // What a crash left of an earlier import.
        await RemoveAsync(connection, tenant, cancellationToken).ConfigureAwait(false);
        long first = 0, last = 0;
        try
        {
            var batch = new List<RecordedEvent>(BatchSize);
            await foreach (RecordedEvent recorded in events.WithCancellation(cancellationToken).ConfigureAwait(false))
            {
                if (first == 0)
                {
                    await EnterAsync(connection, node, tenant, recorded, cancellationToken).ConfigureAwait(false);
                    first = recorded.NodeSeq;
                    last = first - 1;
                }
                if (recorded.NodeSeq != last + 1)
                    throw new MeshException(MeshError.InvalidConfiguration, $"After place {last} comes place {recorded.NodeSeq}: a log has no gap. Was it exported by type?");
                last = recorded.NodeSeq;
                bool starts = recorded.Data is NodeStarted;
                if (batch.Count > 0 && (starts || batch.Count == BatchSize || batch[0].Epoch != recorded.Epoch))
                    await FlushAsync(node, batch, cancellationToken).ConfigureAwait(false);
                if (starts)
                    await writer.ClaimAsync(node, recorded, cancellationToken).ConfigureAwait(false);
                else
                    batch.Add(recorded);
            }
            await FlushAsync(node, batch, cancellationToken).ConfigureAwait(false);
            if (first == 0)
                throw new MeshException(MeshError.InvalidConfiguration, "There are no events to import.");
            if (through is { } end && last != end)
                throw new MeshException(MeshError.InvalidConfiguration, $"The export goes to place {end}, and its file ends at place {last}: it was cut off.");
            await Sql.ExecuteAsync(
                connection,
                $"""
                with done as (update {tables.Nodes} set imported = '{ImportSchema.Done}' where tenant_id = $1 returning tenant_id)
                select pg_notify('{tables.Channel}', tenant_id) from done
                """,
                cancellationToken, tenant).ConfigureAwait(false);
            return last - first + 1;
        }
        catch
        {
            await RemoveAsync(connection, tenant, CancellationToken.None).ConfigureAwait(false);
            throw;
        }
    }

    /// <summary>The log's row, ready for its first event.</summary>
    private async Task EnterAsync(NpgsqlConnection connection, NodeId node, string tenant, RecordedEvent first, CancellationToken cancellationToken)
    {
        int entered = await Sql.ExecuteAsync(
            connection,
            $"insert into {tables.Nodes} (tenant_id, epoch, node_seq, time, imported) values ($1, $2, $3, 'epoch', '{ImportSchema.UnderWay}') on conflict do nothing",
            cancellationToken, tenant, first.Data is NodeStarted ? first.Epoch - 1 : first.Epoch, first.NodeSeq - 1).ConfigureAwait(false);
        if (entered == 0)
            throw new MeshException(MeshError.ConcurrencyConflict, $"The store has a log of node {node} already: an import never changes one.");
    }

    private async Task FlushAsync(NodeId node, List<RecordedEvent> batch, CancellationToken cancellationToken)
    {
        if (batch.Count > 0)
            await writer.AppendAsync(node, [.. batch], cancellationToken).ConfigureAwait(false);
        batch.Clear();
    }

    /// <summary>Removes what there is of an import that was not done; the log of a node that writes here, or one that was imported, stays.</summary>
    private async Task RemoveAsync(NpgsqlConnection connection, string tenant, CancellationToken cancellationToken)
    {
        NpgsqlTransaction transaction = await connection.BeginTransactionAsync(cancellationToken).ConfigureAwait(false);
        await using (transaction.ConfigureAwait(false))
        {
            int removed = await Sql.ExecuteAsync(
                connection, $"delete from {tables.Nodes} where tenant_id = $1 and imported = '{ImportSchema.UnderWay}'", cancellationToken, tenant)
                .ConfigureAwait(false);
            if (removed == 0)
                return;
            await Sql.ExecuteAsync(connection, $"delete from {tables.Events} where tenant_id = $1", cancellationToken, tenant).ConfigureAwait(false);
            await Sql.ExecuteAsync(connection, $"delete from {tables.Streams} where tenant_id = $1", cancellationToken, tenant).ConfigureAwait(false);
            await transaction.CommitAsync(cancellationToken).ConfigureAwait(false);
        }
    }
}
