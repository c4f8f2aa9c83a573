using EventMesh.Events;
using EventMesh.Journal;
using EventMesh.Marten.Queries;
using EventMesh.Marten.Store.Internal;
using Npgsql;
using EventRegistry = EventMesh.Journal.EventRegistry;

namespace EventMesh.Marten.Projections.Internal;

/// <summary>
/// Folds the nodes' logs into a table, in order of place. It reads on from its own position, kept in the transaction of what it writes, which makes a repeated
/// call harmless. Marten's own daemon can't do it: it hands events over in the order of its table's sequence, in which the streams of one transaction
/// stand one after the other (docs/adr/0005).
/// </summary>
internal abstract class LogProjection
{
    private readonly NpgsqlDataSource? _source;
    private readonly LogReader? _reader;
    private readonly LogFilter _filter;

    protected LogProjection(string name, string schema, NpgsqlDataSource? source, LogReader? reader, params Type[] eventTypes)
    {
        Name = name;
        Schema = schema;
        _source = source;
        _reader = reader;
        _filter = LogFilter.Events(eventTypes.Select(type => EventRegistry.Default.Get(type).WireName));
    }

    /// <summary>The name of its view, of its rows in the tables of positions, and of its shard in Marten's.</summary>
    public string Name { get; }

    protected string Schema { get; }

    public static IReadOnlyList<LogProjection> All(string schema) => All(schema, null, null);

    public static IReadOnlyList<LogProjection> All(NpgsqlDataSource source, LogTables tables, LogReader reader) => All(tables.Schema, source, reader);

    private static LogProjection[] All(string schema, NpgsqlDataSource? source, LogReader? reader) =>
    [
        new BootstrapCacheProjection(schema, source, reader),
        new PeerDirectoryProjection(schema, source, reader),
        new ConnectionHistoryProjection(schema, source, reader),
        new TrustLedgerProjection(schema, source, reader),
        new NodeStatusProjection(schema, source, reader),
        // After the one whose view it joins.
        new MeshTopologyProjection(schema, source, reader),
    ];

    /// <summary>The name of a generation's table.</summary>
    public string Table(int generation) => $"{Schema}.{Name}_{generation}";

    /// <summary>SQL: makes the table of a generation, empty.</summary>
    public abstract string CreateTable(int generation);

    /// <summary>SQL: lets the views show a generation.</summary>
    public abstract string CreateViews(int generation);

    /// <summary>SQL: what a schema without this projection needs of it. Where it is, another generation may be in use, which its views must go on showing.</summary>
    public string CreateFirst() =>
        $"""
        do $mesh$ begin
        if not exists (select from {Schema}.projection where name = '{Name}') then
        {CreateTable(1)}{CreateViews(1)}
        insert into {Schema}.projection (name, generation) values ('{Name}', 1);
        end if;
        end $mesh$;

        """;

    /// <summary>Folds what a node's log holds beyond the projection's position.</summary>
    public async Task CatchUpAsync(string tenant, CancellationToken cancellationToken)
    {
        NpgsqlConnection connection = await _source!.OpenConnectionAsync(cancellationToken).ConfigureAwait(false);
        await using (connection.ConfigureAwait(false))
        {
            bool more = true;
            while (more)
            {
                NpgsqlTransaction transaction = await connection.BeginTransactionAsync(cancellationToken).ConfigureAwait(false);
                await using (transaction.ConfigureAwait(false))
                {
                    // Shared: a rebuild that switches the generation waits for us, and we for it.
                    int generation = await Sql.ScalarAsync<int>(
                        connection, $"select generation from {Schema}.projection where name = $1 for share", cancellationToken, Name).ConfigureAwait(false);
                    more = await FoldPageAsync(connection, tenant, generation, cancellationToken).ConfigureAwait(false);
                    await transaction.CommitAsync(cancellationToken).ConfigureAwait(false);
                }
            }
        }
    }

    /// <summary>Folds one page in the caller's transaction; false at the end of the log.</summary>
    public Task<bool> FoldPageAsync(NpgsqlConnection connection, string tenant, int generation, CancellationToken cancellationToken) =>
        FoldPageAsync(connection, tenant, generation, long.MaxValue, cancellationToken);

    /// <summary>Folds one page in the caller's transaction, up to a place; false there or at the end of the log.</summary>
    public async Task<bool> FoldPageAsync(NpgsqlConnection connection, string tenant, int generation, long upTo, CancellationToken cancellationToken)
    {
        // Locks the position, so that of two processes (a lost leadership is noticed late) the second waits and then finds it done.
        long position = await Sql.ScalarAsync<long>(
            connection,
            $"""
            insert into {Schema}.projection_position as p (name, generation, tenant_id, node_seq) values ($1, $2, $3, 0)
            on conflict (name, generation, tenant_id) do update set node_seq = p.node_seq returning node_seq
            """,
            cancellationToken, Name, generation, tenant).ConfigureAwait(false);
        LogPosition end = await _reader!.GetPositionAsync(connection, tenant, cancellationToken).ConfigureAwait(false);
        end = end with { NodeSeq = Math.Min(end.NodeSeq, upTo) };
        List<RecordedEvent> page = await _reader.ReadPageAsync(connection, tenant, position, end.NodeSeq, _filter, cancellationToken)
            .ConfigureAwait(false);
        bool isLast = page.Count < LogReader.PageSize;
        if (page.Count > 0)
            await WriteAsync(connection, generation, Guid.Parse(tenant), page, cancellationToken).ConfigureAwait(false);
        await Sql.ExecuteAsync(
            connection, $"update {Schema}.projection_position set node_seq = $4 where name = $1 and generation = $2 and tenant_id = $3", cancellationToken,
            Name, generation, tenant, isLast ? end.NodeSeq : page[^1].NodeSeq).ConfigureAwait(false);
        return !isLast;
    }

    /// <summary>How far the projection has followed a node's log.</summary>
    public async Task<ProjectionStatus> GetStatusAsync(NpgsqlConnection connection, string tenant, CancellationToken cancellationToken)
    {
        LogPosition end = await _reader!.GetPositionAsync(connection, tenant, cancellationToken).ConfigureAwait(false);
        long position = await Sql.ScalarAsync<long>(
            connection,
            $"""
            select coalesce((select node_seq from {Schema}.projection_position join {Schema}.projection using (name, generation)
                where name = $1 and tenant_id = $2), 0)
            """,
            cancellationToken, Name, tenant).ConfigureAwait(false);
        long lag = await _reader.CountAsync(connection, tenant, position, end.NodeSeq, _filter, cancellationToken).ConfigureAwait(false);
        return new(Name, position, end.NodeSeq, lag);
    }

    /// <summary>Writes what a page of events changes, in order, in the caller's transaction.</summary>
    protected abstract Task WriteAsync(
        NpgsqlConnection connection, int generation, Guid node, IReadOnlyList<RecordedEvent> page, CancellationToken cancellationToken);
}
