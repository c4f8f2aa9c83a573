using System.Runtime.CompilerServices;
using EventMesh.Events;
using EventMesh.Identity;
using EventMesh.Journal;
using EventMesh.Marten.Audit;
using EventMesh.Marten.Audit.Internal;
using EventMesh.Marten.Embedded;
using EventMesh.Marten.Queries;
using EventMesh.Marten.Queries.Internal;
using EventMesh.Marten.Store.Internal;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace EventMesh.Marten.Store;

/// <summary>The log in PostgreSQL, written by Marten: a tenant for each node, a stream for each family and month.</summary>
public sealed class MartenEventStore : IEventStore, ILogImporter
{
    private readonly MeshStoreOptions _options;
    private readonly EventRegistry _registry;
    private readonly ILoggerFactory _loggerFactory;
    private readonly ILogger _logger;
    private readonly TimeProvider _time;
    private readonly Lock _mutex = new();
    private readonly MartenQueries _queries;
    private readonly LogAudit _audit;
    private readonly LogErasure _erasure;
    private PrivatePostgres? _postgres;
    private StoreSession? _session;
    private Task? _disposeTask;
    private NodeId? _node;

    /// <summary>Makes a store; <see cref="OpenAsync"/> connects it.</summary>
    public MartenEventStore(IOptions<MeshStoreOptions> options, TimeProvider timeProvider, ILoggerFactory loggerFactory)
        : this(options.Value, EventRegistry.Default, timeProvider, loggerFactory)
    {
    }

    internal MartenEventStore(MeshStoreOptions options, EventRegistry registry, TimeProvider timeProvider, ILoggerFactory loggerFactory)
    {
        _options = options;
        _registry = registry;
        _time = timeProvider;
        _loggerFactory = loggerFactory;
        _logger = loggerFactory.CreateLogger("EventMesh.Store");
        _queries = new MartenQueries(() => Session);
        Fleet = new FleetQueries(() => Session.QuerySource, options.Schema);
        _audit = new LogAudit(() => Session, registry);
        _erasure = new LogErasure(() => Session);
    }

    /// <inheritdoc/>
    public string Name => "postgresql";

    /// <inheritdoc/>
    public bool IsExternal => !string.IsNullOrWhiteSpace(_options.ConnectionString);

    /// <summary>What the projections know; answers once the store is open.</summary>
    public IMeshQueries Queries => _queries;

    /// <summary>What the projections know of all nodes in the database; answers once the store is open.</summary>
    public IFleetQueries Fleet { get; }

    /// <summary>Checks the log; works once the store is open.</summary>
    public ILogAudit Audit => _audit;

    /// <summary>Erases personal data; works once the store is open.</summary>
    public ILogPrivacy Privacy => _erasure;

    /// <summary>The private server, where there is one.</summary>
    internal PrivatePostgres? PrivateServer => _postgres;

    /// <summary>Whose log this process writes; null before the first open.</summary>
    internal NodeId? Node => _node;

    internal StoreSession Session =>
        Volatile.Read(ref _session) ?? throw new MeshException(MeshError.StoreUnavailable, "The store is not open.");

    /// <inheritdoc/>
    public Task OpenAsync(NodeId node, string dataDirectory, CancellationToken cancellationToken) =>
        RunAsync("open the log", async () =>
        {
            if (_session is not null)
                throw new InvalidOperationException("The store is open already.");
            _node = node;
            long start = _time.GetTimestamp();
            bool isPrivate = string.IsNullOrWhiteSpace(_options.ConnectionString);
            try
            {
                if (isPrivate)
                    _postgres = await PrivatePostgres.StartAsync(node, dataDirectory, _options.PostgresBin, _time, _loggerFactory, cancellationToken)
                        .ConfigureAwait(false);
                StoreSession session = await StoreSession.OpenAsync(
                    _options, _postgres?.ConnectionString ?? _options.ConnectionString!, isPrivate, node, _registry, _time, _loggerFactory,
                    cancellationToken).ConfigureAwait(false);
                Volatile.Write(ref _session, session);
                TimeSpan elapsed = _time.GetElapsedTime(start);
                Log.StoreOpened(_logger, session.Server, session.Host, _options.Schema, elapsed);
            }
            catch (Exception exception)
            {
                if (_postgres is not null)
                    await _postgres.DisposeAsync().ConfigureAwait(false);
                // It may be tried again: a node starts without its database and waits for it.
                _postgres = null;
                if (!isPrivate && StoreErrors.Classify(exception) == MeshError.StoreUnavailable)
                    throw StoreErrors.ServerUnavailable(_options.ConnectionString!, exception);
                throw;
            }
            return true;
        });

    /// <inheritdoc/>
    public Task<LogPosition> GetPositionAsync(NodeId node, CancellationToken cancellationToken) =>
        RunAsync("tell where the log ends", async () =>
        {
            Npgsql.NpgsqlConnection connection = await Session.Source.OpenConnectionAsync(cancellationToken).ConfigureAwait(false);
            await using (connection.ConfigureAwait(false))
                return await Session.Reader.GetPositionAsync(connection, LogReader.Tenant(node), cancellationToken).ConfigureAwait(false);
        });

    /// <inheritdoc/>
    public Task ClaimEpochAsync(NodeId node, RecordedEvent started, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(started);
        return RunAsync("take the log over", async () =>
        {
            await Session.Writer.ClaimAsync(node, started, cancellationToken).ConfigureAwait(false);
            return true;
        });
    }

    /// <inheritdoc/>
    public Task AppendAsync(NodeId node, IReadOnlyList<RecordedEvent> batch, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(batch);
        if (batch.Count == 0)
            return Task.CompletedTask;
        for (int i = 0; i < batch.Count; i++)
        {
            if (batch[i].NodeSeq != batch[0].NodeSeq + i || batch[i].Epoch != batch[0].Epoch)
                throw new ArgumentException("A batch is of one epoch, its places without a gap.", nameof(batch));
            if (batch[i].Time.UtcTicks % TimeSpan.TicksPerMicrosecond != 0)
                throw new ArgumentException("PostgreSQL keeps whole microseconds: a finer time would not come back as it was.", nameof(batch));
        }
        return RunAsync("append to the log", async () =>
        {
            await Session.Writer.AppendAsync(node, batch, cancellationToken).ConfigureAwait(false);
            return true;
        });
    }

    /// <inheritdoc/>
    public void Prepare(NodeId node, IReadOnlyList<RecordedEvent> batch)
    {
        ArgumentNullException.ThrowIfNull(batch);
        Session.Writer.Prepare(node, batch);
    }

    /// <inheritdoc/>
    public Task<IReadOnlySet<Guid>> FindAsync(NodeId node, IReadOnlyList<Guid> ids, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(ids);
        return RunAsync<IReadOnlySet<Guid>>("look events up", async () =>
        {
            HashSet<Guid> found = await Session.Writer.FindAsync(node, ids, cancellationToken).ConfigureAwait(false);
            Guid[] missing = [.. ids.Where(id => !found.Contains(id))];
            if (missing.Length > 0)
            {
                Npgsql.NpgsqlConnection connection = await Session.Source.OpenConnectionAsync(cancellationToken).ConfigureAwait(false);
                await using (connection.ConfigureAwait(false))
                    found.UnionWith(await Session.Reader.FindArchivedAsync(connection, LogReader.Tenant(node), missing, cancellationToken).ConfigureAwait(false));
            }
            return found;
        });
    }

    /// <inheritdoc/>
    public async IAsyncEnumerable<RecordedEvent> ReadAsync(
        NodeId node, long afterNodeSeq, IReadOnlySet<StreamFamily>? families, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        LogPosition end = await GetPositionAsync(node, cancellationToken).ConfigureAwait(false);
        long after = afterNodeSeq;
        while (after < end.NodeSeq)
        {
            // A connection per page: a slow reader holds none.
            List<RecordedEvent> page = await RunAsync("read the log", async () =>
            {
                Npgsql.NpgsqlConnection connection = await Session.Source.OpenConnectionAsync(cancellationToken).ConfigureAwait(false);
                await using (connection.ConfigureAwait(false))
                    return await Session.Reader.ReadPageAsync(connection, LogReader.Tenant(node), after, end.NodeSeq, LogFilter.Families(families), cancellationToken)
                        .ConfigureAwait(false);
            }).ConfigureAwait(false);
            long upTo = page.Count < LogReader.PageSize ? end.NodeSeq : page[^1].NodeSeq;
            if (families is null && upTo - after != page.Count)
                await ExplainAsync(node, after, page, upTo, cancellationToken).ConfigureAwait(false);
            foreach (RecordedEvent recorded in page)
                yield return recorded;
            if (page.Count < LogReader.PageSize)
                yield break;
            after = page[^1].NodeSeq;
        }
    }

    /// <inheritdoc/>
    public Task<long> ImportAsync(NodeId node, IAsyncEnumerable<RecordedEvent> events, long? through, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(events);
        return RunAsync("import a log", () =>
            new LogImport(Session.Source, Session.Tables, Session.Writer).RunAsync(node, events, through, cancellationToken));
    }

    /// <inheritdoc/>
    public Task<long?> FindMonthAsync(NodeId node, CancellationToken cancellationToken) =>
        RunAsync("find where the log's last month begins", async () =>
        {
            Npgsql.NpgsqlConnection connection = await Session.Source.OpenConnectionAsync(cancellationToken).ConfigureAwait(false);
            await using (connection.ConfigureAwait(false))
                return await new MonthReader(Session.Tables, _registry).FindAsync(connection, LogReader.Tenant(node), cancellationToken).ConfigureAwait(false);
        });

    /// <inheritdoc/>
    public Task<LogHead?> GetHeadAsync(NodeId node, CancellationToken cancellationToken) =>
        RunAsync("tell where the log's chain ends", () => LogChain.GetHeadAsync(Session, node, cancellationToken));

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        lock (_mutex)
            _disposeTask ??= DisposeCoreAsync();
        await _disposeTask.ConfigureAwait(false);
    }

    private async Task DisposeCoreAsync()
    {
        await Task.Yield();
        if (_session is not null)
            await _session.DisposeAsync().ConfigureAwait(false);
        if (_postgres is not null)
            await _postgres.DisposeAsync().ConfigureAwait(false);
    }

    // Only months whose removal the log itself tells may be missing, and what was before an imported range. Of a month's range some events are left: how many, the count tells.
    private Task<bool> ExplainAsync(NodeId node, long after, IReadOnlyList<RecordedEvent> page, long upTo, CancellationToken cancellationToken) => RunAsync("read the log", async () =>
    {
        string tenant = LogReader.Tenant(node);
        Npgsql.NpgsqlConnection connection = await Session.Source.OpenConnectionAsync(cancellationToken).ConfigureAwait(false);
        await using (connection.ConfigureAwait(false))
        {
            List<(long, long)> dropped = await Session.Reader.GetDroppedAsync(connection, tenant, cancellationToken).ConfigureAwait(false);
            long last = after;
            foreach (long place in page.Select(recorded => recorded.NodeSeq).Append(upTo + 1))
            {
                if (LogGaps.FirstUnexplained(last, place, dropped) is { } missing)
                {
                    throw new MeshException(
                        MeshError.StoreIncompatible, $"The log of node {node} lacks place {missing}, and no event says that its month was removed. Restore the log from a backup.");
                }
                last = place;
            }
            await Session.Reader.CheckWholeAsync(connection, tenant, after, upTo, cancellationToken).ConfigureAwait(false);
        }
        return true;
    });

    private async Task<T> RunAsync<T>(string operation, Func<Task<T>> action)
    {
        ObjectDisposedException.ThrowIf(_disposeTask is not null, this);
        try
        {
            return await action().ConfigureAwait(false);
        }
        catch (Exception exception) when (exception is not (MeshException or OperationCanceledException or ArgumentException))
        {
            throw StoreErrors.Translate(exception, operation);
        }
    }
}
