using System.Collections.Concurrent;
using EventMesh.Identity;
using EventMesh.Marten.Store;
using EventMesh.Marten.Store.Internal;
using Microsoft.Extensions.Logging;
using Npgsql;

namespace EventMesh.Marten.Projections.Internal;

/// <summary>
/// Lets the projections follow the logs of all nodes in a database. Of the processes that share it one does so, the holder of the lease
/// (<see cref="ProjectionLease"/>); when its connection ends or it falls silent, another takes over. Each append notifies it (<see cref="LogWriter"/>).
/// </summary>
internal sealed class ProjectionRunner : IAsyncDisposable
{
    // How often the leader looks at all logs without having been told: a process of an older version does not tell.
    private static readonly TimeSpan LookInterval = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan FirstDelay = TimeSpan.FromMilliseconds(250);
    private static readonly TimeSpan MaxDelay = TimeSpan.FromSeconds(10);

    // How long a projection rests that could not fold what a node's log has next.
    private static readonly TimeSpan StuckDelay = TimeSpan.FromSeconds(5);

    // Pages of one log before another gets its turn: a log that is far behind holds up the others by a second or so.
    private const int PagesInTurn = 20;

    private readonly NpgsqlDataSource _source;
    private readonly LogTables _tables;
    private readonly IReadOnlyList<LogProjection> _projections;
    private readonly ProjectionLease _lease;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly CancellationTokenSource _stopping = new();
    private readonly SemaphoreSlim _folding;
    private readonly string _channel;
    private readonly string _behindSql;
    private readonly string _behindOfSql;
    private readonly ConcurrentDictionary<(string Tenant, LogProjection Projection), long> _stuck = [];
    private Task _running = Task.CompletedTask;
    private long _term;
    private long _rounds;
    private int _failures;
    private bool _isDisposed;

    public ProjectionRunner(
        NpgsqlDataSource source, LogTables tables, NodeId node, int connections, IReadOnlyList<LogProjection> projections, TimeProvider time, ILogger logger)
    {
        _source = source;
        _tables = tables;
        _projections = projections;
        _lease = new ProjectionLease(tables, node);
        _time = time;
        _logger = logger;
        _folding = new SemaphoreSlim(connections, connections);
        _channel = tables.Channel;
        _behindSql = BehindSql(tables, all: true);
        _behindOfSql = BehindSql(tables, all: false);
    }

    /// <summary>The term in which this process leads; 0 while another does.</summary>
    public long Term => Volatile.Read(ref _term);

    /// <summary>How often it has looked for what is behind.</summary>
    internal long Rounds => Volatile.Read(ref _rounds);

    /// <summary>SQL: which projections ($1) are behind, of all logs or of some ($2).</summary>
    internal static string BehindSql(LogTables tables, bool all) =>
        $"""
        select n.tenant_id, p.name
        from {tables.Nodes} n
            join {tables.Schema}.projection p on p.name = any($1)
            left join {tables.Schema}.projection_position at on (at.name, at.generation, at.tenant_id) = (p.name, p.generation, n.tenant_id)
        where coalesce(at.node_seq, 0) < n.node_seq {(all ? "" : "and n.tenant_id = any($2)")}
        """;

    public void Start()
    {
        ProjectionMetrics.Observe(this);
        // It outlives the caller: its activities must not become children of the open's.
        using (ExecutionContext.SuppressFlow())
            _running = Task.Run(RunAsync);
    }

    public async ValueTask DisposeAsync()
    {
        if (_isDisposed)
            return;
        _isDisposed = true;
        await _stopping.CancelAsync().ConfigureAwait(false);
        await _running.ConfigureAwait(false);
        ProjectionMetrics.Forget(this);
        _stopping.Dispose();
        _folding.Dispose();
    }

    private async Task RunAsync()
    {
        while (true)
        {
            try
            {
                await FollowAsLeaderAsync(_stopping.Token).ConfigureAwait(false);
            }
            catch (Exception) when (_stopping.IsCancellationRequested)
            {
                return;
            }
            catch (Exception exception)
            {
                // Once, however long it goes on.
                if (_failures++ == 0)
                    Log.ProjectionsStopped(_logger, exception);
            }
            TimeSpan delay = FirstDelay * (1 << Math.Min(_failures, 10));
            await Task.Delay(delay < MaxDelay ? delay : MaxDelay, _time, _stopping.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    /// <summary>Waits for the lease and follows until something fails.</summary>
    private async Task FollowAsLeaderAsync(CancellationToken cancellationToken)
    {
        NpgsqlConnection connection = await _source.OpenConnectionAsync(cancellationToken).ConfigureAwait(false);
        await using (connection.ConfigureAwait(false))
        {
            try
            {
                // A program that is older than the schema declines, before it takes the lock and also when the schema is upgraded while it holds it.
                await StoreSchema.ThrowIfNewerAsync(connection, _tables, cancellationToken).ConfigureAwait(false);
                await ProjectionLease.PrepareAsync(connection, cancellationToken).ConfigureAwait(false);
                while (!await _lease.TryTakeAsync(connection, cancellationToken).ConfigureAwait(false))
                    await Task.Delay(ProjectionLease.Beat, _time, cancellationToken).ConfigureAwait(false);
                long term = await _lease.BeginAsync(connection, cancellationToken).ConfigureAwait(false);
                Volatile.Write(ref _term, term);
                Log.ProjectionsLed(_logger, term);
                // Whichever fails ends the other: without the lease there is nothing to write, without writing no reason for the lease.
                using var over = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
#pragma warning disable CA2025 // Both have ended when the connection is given back: see WhenAll.
                Task[] both = [KeepAsync(connection, over.Token), ListenAsync(term, over.Token)];
#pragma warning restore CA2025
                Task first = await Task.WhenAny(both).ConfigureAwait(false);
                await over.CancelAsync().ConfigureAwait(false);
                await Task.WhenAll(both).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
                await first.ConfigureAwait(false);
            }
            finally
            {
                Volatile.Write(ref _term, 0);
                await ProjectionLease.ReleaseAsync(connection).ConfigureAwait(false);
            }
        }
    }

    private async Task KeepAsync(NpgsqlConnection connection, CancellationToken cancellationToken)
    {
        while (true)
        {
            await Task.Delay(ProjectionLease.Beat, _time, cancellationToken).ConfigureAwait(false);
            await ProjectionLease.BeatAsync(connection, cancellationToken).ConfigureAwait(false);
        }
    }

    private async Task ListenAsync(long term, CancellationToken cancellationToken)
    {
        NpgsqlConnection connection = await _source.OpenConnectionAsync(cancellationToken).ConfigureAwait(false);
        await using (connection.ConfigureAwait(false))
        {
            var wake = new ProjectionWake();
            connection.Notification += wake.Take;
            try
            {
                await _lease.ListenAsync(connection, _channel, cancellationToken).ConfigureAwait(false);
                await FollowAsync(connection, wake, term, cancellationToken).ConfigureAwait(false);
            }
            finally
            {
                connection.Notification -= wake.Take;
                await ProjectionLease.ReleaseAsync(connection).ConfigureAwait(false);
            }
        }
    }

    private async Task FollowAsync(NpgsqlConnection connection, ProjectionWake wake, long term, CancellationToken cancellationToken)
    {
        // One parameter, not one for each.
        object names = _projections.Select(projection => projection.Name).ToArray();
        long lastLook = _time.GetTimestamp();
        while (true)
        {
            while (!wake.IsSet)
            {
                TimeSpan left = (_stuck.IsEmpty ? LookInterval : StuckDelay) - _time.GetElapsedTime(lastLook);
                // Npgsql takes 0 ms for ever.
                if (left < TimeSpan.FromMilliseconds(1) || !await connection.WaitAsync(left, cancellationToken).ConfigureAwait(false))
                    wake.AddAll();
            }
            await StoreSchema.ThrowIfNewerAsync(connection, _tables, cancellationToken).ConfigureAwait(false);
            string[]? tenants = wake.Reset();
            if (tenants is null)
                lastLook = _time.GetTimestamp();
            NpgsqlCommand look = tenants is null ? Sql.Command(connection, _behindSql, names) : Sql.Command(connection, _behindOfSql, names, tenants);
            // Takes in the notifications that have come meanwhile, too: many appends are one round.
            List<(string Tenant, string Name)> behind = await Sql.QueryAsync(look, row => (row.GetString(0), row.GetString(1)), cancellationToken)
                .ConfigureAwait(false);
            Interlocked.Increment(ref _rounds);
            foreach (IGrouping<string, string> tenant in behind.GroupBy(row => row.Tenant, row => row.Name))
            {
                if (await FollowAsync(tenant.Key, [.. tenant], term, cancellationToken).ConfigureAwait(false))
                    wake.Add(tenant.Key);
            }
            if (_failures > 0)
                Log.ProjectionsGoOn(_logger);
            _failures = 0;
        }
    }

    /// <summary>Lets projections go on in a node's log, for one turn; whether there is more.</summary>
    private async Task<bool> FollowAsync(string tenant, IReadOnlyList<string> names, long term, CancellationToken cancellationToken)
    {
        bool[] more = await Task.WhenAll(_projections.Where(projection => names.Contains(projection.Name))
            .Select(projection => TryFollowAsync(tenant, projection, term, cancellationToken))).ConfigureAwait(false);
        return more.Any(yes => yes);
    }

    /// <summary>What can't be folded of one log by one projection holds up neither the others nor the other logs.</summary>
    private async Task<bool> TryFollowAsync(string tenant, LogProjection projection, long term, CancellationToken cancellationToken)
    {
        bool isStuck = _stuck.TryGetValue((tenant, projection), out long since);
        if (isStuck && _time.GetElapsedTime(since) < StuckDelay)
            return false;
        bool more;
        await _folding.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            more = await projection.CatchUpAsync(tenant, _lease, term, PagesInTurn, cancellationToken).ConfigureAwait(false);
        }
        catch (Exception exception) when (!cancellationToken.IsCancellationRequested && exception is not LeaseLostException
            && StoreErrors.Classify(exception) != MeshError.StoreUnavailable)
        {
            _stuck[(tenant, projection)] = _time.GetTimestamp();
            if (!isStuck)
                Log.ProjectionStuck(_logger, projection.Name, tenant, exception);
            return false;
        }
        finally
        {
            _folding.Release();
        }
        if (_stuck.TryRemove((tenant, projection), out _))
            Log.ProjectionGoesOn(_logger, projection.Name, tenant);
        return more;
    }
}
