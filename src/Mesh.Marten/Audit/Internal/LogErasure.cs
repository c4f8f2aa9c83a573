using System.Security.Cryptography;
using System.Text.Json;
using EventMesh.Events;
using EventMesh.Identity;
using EventMesh.Marten.Projections.Internal;
using EventMesh.Marten.Store.Internal;
using Npgsql;
using NpgsqlTypes;

namespace EventMesh.Marten.Audit.Internal;

/// <summary>
/// Erases a peer's addresses: finds what changes, lets the log vouch for it, changes the rows in one transaction and folds the projections of this log anew.
/// </summary>
internal sealed class LogErasure(Func<StoreSession> session) : ILogPrivacy
{
    private static readonly string Mismatch = EventMesh.Journal.EventRegistry.Default.Get(typeof(PinMismatch)).WireName;

    public async Task<AuditErasure?> EraseAsync(
        NodeId node, PeerId peer, Func<PeerErased, CancellationToken, Task<RecordedEvent>> record, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(record);
        try
        {
            StoreSession store = session();
            List<Change> changes = await FindAsync(store, node, peer, cancellationToken).ConfigureAwait(false);
            if (changes.Count == 0)
                return null;
            RecordedEvent recorded = await record(new PeerErased(peer, changes.Count, Digest(changes)), cancellationToken).ConfigureAwait(false);
            await ApplyAsync(store, node, changes, recorded.NodeSeq, cancellationToken).ConfigureAwait(false);
            return new AuditErasure(recorded.NodeSeq, peer, changes.Count);
        }
        catch (Exception exception) when (exception is not (MeshException or OperationCanceledException))
        {
            throw StoreErrors.Translate(exception, "erase a peer's addresses");
        }
    }

    private static byte[] Digest(List<Change> changes)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        foreach (Change change in changes)
            ErasureWalk.Append(hash, change.Place, change.Digest);
        return hash.GetHashAndReset();
    }

    /// <summary>Reads the log twice: which addresses are the peer's alone is known at its end.</summary>
    private static async Task<List<Change>> FindAsync(StoreSession store, NodeId node, PeerId peer, CancellationToken cancellationToken)
    {
        NpgsqlConnection connection = await store.Source.OpenConnectionAsync(cancellationToken).ConfigureAwait(false);
        await using (connection.ConfigureAwait(false))
        {
            var addresses = new PeerAddresses(peer.ToString());
            await ReadAsync(store, connection, node, row =>
            {
                using JsonDocument content = JsonDocument.Parse(row.Data);
                addresses.Add(content.RootElement);
            }, cancellationToken).ConfigureAwait(false);
            using var pseudonyms = new Pseudonyms(node.ToString(), peer.ToString(), addresses);
            List<Change> changes = [];
            await ReadAsync(store, connection, node, row =>
            {
                // What an operator decided about ranges and contacts stays in force as it was decided.
                if ((!row.Type.StartsWith("trust.", StringComparison.Ordinal) || row.Type == Mismatch) && pseudonyms.Replace(row.Data) is { } data)
                    changes.Add(new Change(row.Place, data, (row with { Data = data }).Digest(node), row.Digest(node)));
            }, cancellationToken).ConfigureAwait(false);
            return changes;
        }
    }

    private static async Task ReadAsync(StoreSession store, NpgsqlConnection connection, NodeId node, Action<AuditRow> read, CancellationToken cancellationToken)
    {
        var chain = new LogChain(store.Tables);
        long after = 0;
        List<AuditRow> page;
        do
        {
            page = await chain.ReadPageAsync(connection, node, after, long.MaxValue, cancellationToken).ConfigureAwait(false);
            page.ForEach(read);
            after = page.Count > 0 ? page[^1].Place : after;
        }
        while (page.Count == LogReader.PageSize);
    }

    private static async Task ApplyAsync(StoreSession store, NodeId node, List<Change> changes, long by, CancellationToken cancellationToken)
    {
        NpgsqlConnection connection = await store.Source.OpenConnectionAsync(cancellationToken).ConfigureAwait(false);
        await using (connection.ConfigureAwait(false))
        {
            NpgsqlTransaction transaction = await connection.BeginTransactionAsync(cancellationToken).ConfigureAwait(false);
            await using (transaction.ConfigureAwait(false))
            {
                // No month moves meanwhile: a row stands in one of the two until all are changed.
                await Sql.ExecuteAsync(connection, "select pg_advisory_xact_lock(hashtextextended($1, 0))", cancellationToken, store.Tables.ArchiveLock)
                    .ConfigureAwait(false);
                foreach (Change[] some in changes.Chunk(LogReader.PageSize))
                    await UpdateAsync(store.Tables, connection, node, some, by, cancellationToken).ConfigureAwait(false);
                foreach (LogProjection projection in store.Projections)
                    await FoldAnewAsync(store.Tables, projection, connection, node, cancellationToken).ConfigureAwait(false);
                await transaction.CommitAsync(cancellationToken).ConfigureAwait(false);
            }
        }
    }

    private static async Task UpdateAsync(LogTables tables, NpgsqlConnection connection, NodeId node, Change[] changes, long by, CancellationToken cancellationToken)
    {
        await Sql.ExecuteAsync(
            connection,
            $"""
            update {tables.Events} as e set data = c.data, headers = {Marked("e.headers")}
            from unnest($2, $3, $4, $5) as c (place, data, digest, was)
            where e.tenant_id = $1 and {LogTables.Place.Replace("headers", "e.headers", StringComparison.Ordinal)} = c.place
            """,
            cancellationToken, Values()).ConfigureAwait(false);
        await Sql.ExecuteAsync(
            connection,
            $"""
            with changed as materialized (select * from unnest($2, $3, $4, $5) as c (place, data, digest, was)),
                blocks as materialized (
                    select month, stream_id, first_seq, seqs, data, headers from {tables.Blocks}
                    where tenant_id = $1 and first_seq <= (select max(place) from changed) and last_seq >= (select min(place) from changed) and seqs && $2),
                anew as (
                    select b.month, b.stream_id, b.first_seq, array_agg(coalesce(c.data::text, e.data) order by e.at) as data,
                        array_agg(case when c.place is null then e.headers else ({Marked("e.headers::jsonb")})::text end order by e.at) as headers
                    from blocks b cross join lateral unnest(b.seqs, b.data, b.headers) with ordinality as e (place, data, headers, at)
                        left join changed c on c.place = e.place
                    group by b.month, b.stream_id, b.first_seq)
            update {tables.Blocks} as b set data = anew.data, headers = anew.headers
            from anew where b.tenant_id = $1 and b.month = anew.month and b.stream_id = anew.stream_id and b.first_seq = anew.first_seq
            """,
            cancellationToken, Values()).ConfigureAwait(false);

        object[] Values() =>
        [
            LogReader.Tenant(node), changes.Select(change => change.Place).ToArray(),
            new NpgsqlParameter { Value = changes.Select(change => change.Data).ToArray(), NpgsqlDbType = NpgsqlDbType.Array | NpgsqlDbType.Jsonb },
            changes.Select(change => Convert.ToBase64String(change.Digest)).ToArray(), changes.Select(change => Convert.ToBase64String(change.Was)).ToArray(), by,
        ];
    }

    // What was recorded first keeps its digest, however often it is erased.
    private static string Marked(string headers) =>
        $"""
        {headers}
            || jsonb_build_object('{LogTables.WasHeader}', coalesce({headers} ->> '{LogTables.WasHeader}', c.was))
            || jsonb_build_object('{LogTables.ErasedHeader}',
                coalesce({headers} -> '{LogTables.ErasedHeader}', '[]') || jsonb_build_array(jsonb_build_object('by', $6::bigint, 'digest', c.digest)))
        """;

    // Readers see the old rows until all is committed.
    private static async Task FoldAnewAsync(
        LogTables tables, LogProjection projection, NpgsqlConnection connection, NodeId node, CancellationToken cancellationToken)
    {
        string tenant = LogReader.Tenant(node);
        int generation = await Sql.ScalarAsync<int>(
            connection, $"select generation from {tables.Schema}.projection where name = $1 for share", cancellationToken, projection.Name).ConfigureAwait(false);
        await Sql.ExecuteAsync(
            connection,
            $"""
            insert into {tables.Schema}.projection_position (name, generation, tenant_id, node_seq) values ($1, $2, $3, 0)
            on conflict (name, generation, tenant_id) do update set node_seq = 0
            """,
            cancellationToken, projection.Name, generation, tenant).ConfigureAwait(false);
        await Sql.ExecuteAsync(connection, $"delete from {projection.Table(generation)} where node_id = $1", cancellationToken, node.Value).ConfigureAwait(false);
        while (await projection.FoldPageAsync(connection, tenant, generation, page: null, LogReader.PageSize, cancellationToken).ConfigureAwait(false))
        {
        }
    }

    private sealed record Change(long Place, byte[] Data, byte[] Digest, byte[] Was);
}
