using EventMesh.Events;
using EventMesh.Marten.Store.Internal;
using Npgsql;
using NpgsqlTypes;
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
    private readonly EventRegistry _registry;
    private readonly HashSet<Type> _eventTypes;

    protected LogProjection(string name, string schema, NpgsqlDataSource? source, LogReader? reader, params Type[] eventTypes)
    {
        Name = name;
        Schema = schema;
        _source = source;
        _reader = reader;
        _registry = reader?.Registry ?? EventRegistry.Default;
        _eventTypes = [.. eventTypes];
        _filter = FilterFor([this]);
    }

    /// <summary>The name of its view, of its rows in the tables of positions, and of its shard in Marten's.</summary>
    public string Name { get; }

    protected string Schema { get; }

    /// <summary>The name of the advisory lock that a rebuild holds.</summary>
    public string RebuildLock => $"{Schema}.{Name}";

    /// <summary>What <see cref="ProjectionStatusReader"/> counts.</summary>
    public LogFilter Filter => _filter;

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

    /// <summary>SQL: makes the table of a generation, empty, with what folding needs.</summary>
    public abstract string CreateTable(int generation);

    /// <summary>SQL: what only readers need, made once a rebuild has filled the table; repeatable.</summary>
    public abstract string CreateIndexes(int generation);

    /// <summary>SQL: makes the index by which readers find what held at a time, where it is missing.</summary>
    /// <param name="generation">The generation, or a place for its number.</param>
    public abstract string CreateIntervalIndex(string generation);

    /// <summary>SQL: lets the views show a generation.</summary>
    public abstract string CreateViews(int generation);

    /// <summary>SQL: what a schema without this projection needs of it. Where it is, another generation may be in use, which its views must go on showing.</summary>
    public string CreateFirst() =>
        $"""
        do $mesh$ begin
        if not exists (select from {Schema}.projection where name = '{Name}') then
        {CreateTable(1)}{CreateIndexes(1)}{CreateViews(1)}
        insert into {Schema}.projection (name, generation, made_by) values ('{Name}', 1, {StoreSchema.Current});
        end if;
        end $mesh$;

        """;

    /// <summary>SQL: gives the generation in use the index that <see cref="CreateIntervalIndex"/> makes in place of what schema version 2 had.</summary>
    public string ReplaceRangeIndex() =>
        $"""
        do $mesh$ declare live int := (select generation from {Schema}.projection where name = '{Name}');
        begin
        execute format($index$
        {CreateIntervalIndex("%1$s")}$index$, live);
        execute format('analyze {Schema}.{Name}_%s', live);
        execute format('drop index if exists {Schema}.{Name}_%1$s_valid, {Schema}.{Name}_%1$s_standing', live);
        end $mesh$;

        """;

    /// <summary>Whether an event may change something here.</summary>
    public bool Concerns(RecordedEvent recorded) => _eventTypes.Contains(recorded.Data.GetType());

    /// <summary>Whether events of a family may change something here.</summary>
    public bool Follows(StreamFamily family) => _eventTypes.Any(type => _registry.Get(type).Family == family);

    /// <summary>What the log has to be asked for on behalf of several projections: what concerns any of them, and what this program does not know.</summary>
    public static LogFilter FilterFor(IReadOnlyList<LogProjection> projections) =>
        LogFilter.Events(projections[0]._registry, [.. projections.SelectMany(projection => projection._eventTypes)]);

    /// <summary>Folds what a node's log holds beyond the projection's position, as the leader of a term; whether there is more.</summary>
    /// <param name="tenant">The node.</param>
    /// <param name="page">What comes next, where it has been read already: only this is folded then.</param>
    /// <param name="lease">By which the leader writes.</param>
    /// <param name="term">The leader's term.</param>
    /// <param name="pages">How many pages to read and fold at most, otherwise.</param>
    /// <param name="cancellationToken">Gives up; what is committed stays.</param>
    public async Task<bool> CatchUpAsync(
        string tenant, LogPage? page, ProjectionLease lease, long term, int pages, CancellationToken cancellationToken)
    {
        NpgsqlConnection connection = await _source!.OpenConnectionAsync(cancellationToken).ConfigureAwait(false);
        await using (connection.ConfigureAwait(false))
        {
            bool more = true;
            for (int folded = 0; more && folded < (page is null ? pages : 1); folded++)
            {
                NpgsqlTransaction transaction = await connection.BeginTransactionAsync(cancellationToken).ConfigureAwait(false);
                await using (transaction.ConfigureAwait(false))
                {
                    await lease.EnterAsync(connection, term, cancellationToken).ConfigureAwait(false);
                    more = await FoldPageAsync(connection, tenant, generation: null, page, LogReader.PageSize, cancellationToken).ConfigureAwait(false);
                    await transaction.CommitAsync(cancellationToken).ConfigureAwait(false);
                }
            }
            return more;
        }
    }

    /// <summary>Folds one page in the caller's transaction; false at the end of the log.</summary>
    /// <param name="connection">The connection, in a transaction.</param>
    /// <param name="tenant">The node.</param>
    /// <param name="generation">The generation of tables; null for the one that the views show, which does not change until the transaction ends.</param>
    /// <param name="page">What comes next, where it has been read already; it is read here if the position is another one.</param>
    /// <param name="pageSize">How many events to read, otherwise.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <param name="upTo">The last place to fold.</param>
    public async Task<bool> FoldPageAsync(
        NpgsqlConnection connection, string tenant, int? generation, LogPage? page, int pageSize, CancellationToken cancellationToken,
        long upTo = long.MaxValue)
    {
        (int into, long position) = await EnterAsync(connection, tenant, generation, cancellationToken).ConfigureAwait(false);
        if (page?.After != position)
            page = await _reader!.ReadPageAsync(connection, tenant, position, _filter, pageSize, cancellationToken, upTo).ConfigureAwait(false);
        await FoldAsync(connection, tenant, into, page, cancellationToken).ConfigureAwait(false);
        await MoveAsync(connection, tenant, into, page.UpTo, cancellationToken).ConfigureAwait(false);
        return !page.IsLast;
    }

    /// <summary>Folds a page in the caller's transaction, in which the caller has locked the position and moves it on.</summary>
    public async Task FoldAsync(NpgsqlConnection connection, string tenant, int generation, LogPage page, CancellationToken cancellationToken)
    {
        RecordedEvent[] events = [.. page.Events.Where(Concerns)];
        if (events.Length == 0)
            return;
        LogFold fold = BeginFold(generation, Guid.Parse(tenant));
        await fold.LoadAsync(connection, events, cancellationToken).ConfigureAwait(false);
        await fold.Fold(events)(connection, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Writes what a page changed that is folded already, in the caller's transaction.</summary>
    public async Task WritePageAsync(
        NpgsqlConnection connection, string tenant, int generation, LogPage page, Func<NpgsqlConnection, CancellationToken, Task> write, CancellationToken cancellationToken)
    {
        (int into, long position) = await EnterAsync(connection, tenant, generation, cancellationToken).ConfigureAwait(false);
        if (position != page.After)
            throw new MeshException(
                MeshError.ConcurrencyConflict, $"Projection '{Name}' of node {tenant} stands at place {position}, not at {page.After}: something else has written to it. Run it again.");
        await write(connection, cancellationToken).ConfigureAwait(false);
        await MoveAsync(connection, tenant, into, page.UpTo, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Reads a page on a connection of its own.</summary>
    public async Task<LogPage> ReadAsync(string tenant, long after, int pageSize, CancellationToken cancellationToken)
    {
        NpgsqlConnection connection = await _source!.OpenConnectionAsync(cancellationToken).ConfigureAwait(false);
        await using (connection.ConfigureAwait(false))
            return await _reader!.ReadPageAsync(connection, tenant, after, _filter, pageSize, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>The generation to write to and its position, both locked until the transaction ends.</summary>
    private async Task<(int Generation, long Position)> EnterAsync(
        NpgsqlConnection connection, string tenant, int? generation, CancellationToken cancellationToken)
    {
        // The row of the projection shared: a rebuild that switches the generation waits for us, and we for it. The position alone: of two processes
        // (a lost leadership is noticed late) the second waits and then finds the work done. A newer program's tables are not ours to fill.
        NpgsqlCommand command = Sql.Command(
            connection,
            $"""
            insert into {Schema}.projection_position as p (name, generation, tenant_id, node_seq)
            select name, coalesce($3, generation), $2, 0 from {Schema}.projection
            where name = $1 and made_by <= {StoreSchema.Current} and ($3 is null or coalesce(building_by, 0) <= {StoreSchema.Current}) for share
            on conflict (name, generation, tenant_id) do update set node_seq = p.node_seq returning generation, node_seq
            """,
            Name, tenant, new NpgsqlParameter { Value = generation is { } given ? given : DBNull.Value, NpgsqlDbType = NpgsqlDbType.Integer });
        List<(int, long)> rows = await Sql.QueryAsync(command, row => (row.GetInt32(0), row.GetInt64(1)), cancellationToken).ConfigureAwait(false);
        return rows.Count > 0
            ? rows[0]
            : throw new MeshException(
                MeshError.StoreIncompatible,
                $"A newer program has made the tables of projection '{Name}'; this one knows schema version {StoreSchema.Current} and does not write to them. Update it.");
    }

    private Task<int> MoveAsync(NpgsqlConnection connection, string tenant, int generation, long upTo, CancellationToken cancellationToken) => Sql.ExecuteAsync(
        connection,
        $"""
        update {Schema}.projection_position set node_seq = $4, paused_reason = null, paused_at = null
        where name = $1 and generation = $2 and tenant_id = $3
        """,
        cancellationToken, Name, generation, tenant, upTo);

    /// <summary>The place up to which the table that readers see has folded a node's log.</summary>
    public Task<long> GetFoldedAsync(NpgsqlConnection connection, string tenant, CancellationToken cancellationToken) => Sql.ScalarAsync<long>(
        connection,
        $"""
        select coalesce((select node_seq from {Schema}.projection_position join {Schema}.projection using (name, generation)
            where name = $1 and tenant_id = $2), 0)
        """,
        cancellationToken, Name, tenant);

    /// <summary>Begins to fold pages of events that concern this, in order, into a generation's table.</summary>
    public abstract LogFold BeginFold(int generation, Guid node);
}
