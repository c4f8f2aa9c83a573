using EventMesh.Events;
using EventMesh.Identity;
using EventMesh.Journal;
using EventMesh.Marten.Store.Internal;
using Npgsql;
using EventRegistry = EventMesh.Journal.EventRegistry;

namespace EventMesh.Marten.Audit.Internal;

/// <summary>Reads the stored rows of a log and the notes about its chain.</summary>
internal sealed class LogChain(LogTables tables)
{
    private readonly string _pageSql = BlockReader.RawPage(tables, LogReader.PageSize);

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

    /// <summary>The next rows after a place, of both the table of events and the blocks; fewer than <see cref="LogReader.PageSize"/> only at the end.</summary>
    public async Task<List<AuditRow>> ReadPageAsync(NpgsqlConnection connection, NodeId node, long after, long upTo, CancellationToken cancellationToken)
    {
        List<AuditRow> all = [];
        while (all.Count < LogReader.PageSize && after < upTo)
        {
            long complete = upTo;
            List<AuditRow?> rows = await Sql.QueryAsync(
                Sql.Command(connection, _pageSql, LogReader.Tenant(node), after, upTo),
                row =>
                {
                    if (!row.IsDBNull(1))
                        return AuditRow.Read(row);
                    complete = row.GetInt64(0);
                    return null;
                },
                cancellationToken).ConfigureAwait(false);
            all.AddRange(rows.OfType<AuditRow>());
            after = rows.Count <= LogReader.PageSize ? complete : all[^1].Place;
        }
        if (all.Count > LogReader.PageSize)
            all.RemoveRange(LogReader.PageSize, all.Count - LogReader.PageSize);
        return all;
    }

    /// <summary>
    /// The months that the log says were dropped and whose rows are gone, the oldest first. Whether the events that say so are the node's own, the walk over the
    /// chain tells.
    /// </summary>
    public async Task<IReadOnlyList<DroppedMonth>> GetDroppedAsync(NpgsqlConnection connection, NodeId node, long upTo, EventRegistry registry, CancellationToken cancellationToken)
    {
        EventDescriptor dropped = registry.Get(typeof(SegmentDropped));
        string text =
            $"""
            select {LogTables.Place}, data from {tables.Events}
            where tenant_id = $1 and stream_id = 'node' and type = $2 and {LogTables.Place} <= $3
                and exists (select 1 from {tables.Segments} g where g.tenant_id = $1 and g.dropped_seq = {LogTables.Place}
                    and g.stream_id = (data ->> 'family') || '/' || (data ->> 'month'))
            """;
        List<(long Place, byte[] Data)> rows = await Sql.QueryAsync(
            Sql.Command(connection, text, LogReader.Tenant(node), dropped.WireName, upTo), row => (row.GetInt64(0), row.GetFieldValue<byte[]>(1)), cancellationToken)
            .ConfigureAwait(false);
        List<DroppedMonth> months = [];
        foreach ((long place, byte[] data) in rows)
        {
            try
            {
                months.Add(new DroppedMonth(place, (SegmentDropped)MeshJson.Deserialize(dropped, data)));
            }
            catch (MeshException)
            {
                // It explains nothing; that it was changed, the chain tells.
            }
        }
        return [.. months.OrderBy(month => month.Data.FirstSeq)];
    }

    /// <summary>The rows without a place, at a place that another has too, and beyond the end: those that a walk does not meet.</summary>
    /// <param name="connection">The connection.</param>
    /// <param name="node">The node.</param>
    /// <param name="upTo">The last place of the walk.</param>
    /// <param name="cancellationToken">Ends the query.</param>
    public async Task<(long Known, long Elsewhere)> CountAsync(NpgsqlConnection connection, NodeId node, long upTo, CancellationToken cancellationToken)
    {
        string text =
            $"""
            select count(*) filter (where place between 1 and $2),
                count(*) filter (where place is null or place < 1 or place > (select node_seq from {tables.Nodes} where tenant_id = $1))
            from (
                select {LogTables.Place} as place from {tables.Events} where tenant_id = $1
                union all
                select e.place from {tables.Blocks} b cross join lateral unnest(b.seqs, b.ids) as e (place, id) where b.tenant_id = $1) all_rows
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
            select {LogTables.Place}, headers::text from {tables.Events}
            where tenant_id = $1 and {LogTables.Place} = any($2)
            union all
            select e.place, coalesce(e.headers, '') from {tables.Blocks} b cross join lateral unnest(b.seqs, b.headers) as e (place, headers)
            where b.tenant_id = $1 and b.seqs && $2 and e.place = any($2)
            """;
        List<(long Place, byte[]? Link)> rows = await Sql.QueryAsync(
            Sql.Command(connection, text, LogReader.Tenant(node), places.ToArray()), row => (row.GetInt64(0), AuditRow.LinkOf(row.GetString(1))), cancellationToken)
            .ConfigureAwait(false);
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
}
