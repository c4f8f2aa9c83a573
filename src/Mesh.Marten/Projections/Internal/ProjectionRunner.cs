using System.Collections.Concurrent;
using EventMesh.Marten.Store;
using EventMesh.Marten.Store.Internal;
using Microsoft.Extensions.Logging;
using Npgsql;

namespace EventMesh.Marten.Projections.Internal;

/// <summary>
/// Lets the projections follow the logs of all nodes in a database. Of the processes that share it one does so, the holder of an advisory lock; when its
/// connection ends, for whatever reason, the server gives the lock to another that asks. Each append notifies it (<see cref="LogWriter"/>).
/// </summary>
internal sealed class ProjectionRunner : IAsyncDisposable
{
    // How often a process that does not hold the lock asks for it, and the holder looks without having been told.
    private static readonly TimeSpan AskInterval = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan LookInterval = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan FirstDelay = TimeSpan.FromMilliseconds(250);
    private static readonly TimeSpan MaxDelay = TimeSpan.FromSeconds(10);

    // How long a projection rests that could not fold what a node's log has next.
    private static readonly TimeSpan StuckDelay = TimeSpan.FromSeconds(5);

    private readonly NpgsqlDataSource _source;
    private readonly LogTables _tables;
    private readonly IReadOnlyList<LogProjection> _projections;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly CancellationTokenSource _stopping = new();
    private readonly string _lockName;
    private readonly string _listenSql;
    private readonly string _behindSql;
    private readonly ConcurrentDictionary<(string Tenant, LogProjection Projection), long> _stuck = [];
    private Task _running = Task.CompletedTask;
    private int _failures;

    public ProjectionRunner(NpgsqlDataSource source, LogTables tables, IReadOnlyList<LogProjection> projections, TimeProvider time, ILogger logger)
    {
        _source = source;
        _tables = tables;
        _projections = projections;
        _time = time;
        _logger = logger;
        _lockName = $"{tables.Schema}.projections";
        _listenSql = $"listen {tables.Channel}";
        _behindSql =
            $"""
            select n.tenant_id, p.name
            from {tables.Nodes} n
                join {tables.Schema}.projection p on p.name = any($1)
                left join {tables.Schema}.projection_position at on (at.name, at.generation, at.tenant_id) = (p.name, p.generation, n.tenant_id)
            where coalesce(at.node_seq, 0) < n.node_seq
            """;
    }

    public void Start()
    {
        // It outlives the caller: its activities must not become children of the open's.
        using (ExecutionContext.SuppressFlow())
            _running = Task.Run(RunAsync);
    }

    public async ValueTask DisposeAsync()
    {
        await _stopping.CancelAsync().ConfigureAwait(false);
        await _running.ConfigureAwait(false);
        _stopping.Dispose();
    }

    private async Task RunAsync()
    {
        while (true)
        {
            try
            {
                await LeadAsync(_stopping.Token).ConfigureAwait(false);
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

    /// <summary>Waits for the lock and follows until something fails.</summary>
    private async Task LeadAsync(CancellationToken cancellationToken)
    {
        NpgsqlConnection connection = await _source.OpenConnectionAsync(cancellationToken).ConfigureAwait(false);
        await using (connection.ConfigureAwait(false))
        {
            // A program that is older than the schema declines, before it takes the lock and also when the schema is upgraded while it holds it.
            await StoreSchema.ThrowIfNewerAsync(connection, _tables, cancellationToken).ConfigureAwait(false);
            while (!await Sql.ScalarAsync<bool>(connection, "select pg_try_advisory_lock(hashtextextended($1, 0))", cancellationToken, _lockName)
                .ConfigureAwait(false))
                await Task.Delay(AskInterval, _time, cancellationToken).ConfigureAwait(false);
            // Before the first look: of what comes after it we are told.
            await Sql.ExecuteAsync(connection, _listenSql, cancellationToken).ConfigureAwait(false);
            // One parameter, not one for each.
            object names = _projections.Select(projection => projection.Name).ToArray();
            while (true)
            {
                await ThrowIfNewerAsync(connection, cancellationToken).ConfigureAwait(false);
                // Takes in the notifications that have come meanwhile, too: many appends are one round.
                List<(string Tenant, string Name)> behind = await Sql.QueryAsync(
                    Sql.Command(connection, _behindSql, names), row => (row.GetString(0), row.GetString(1)), cancellationToken).ConfigureAwait(false);
                int followed = 0;
                foreach (IGrouping<string, string> tenant in behind.GroupBy(row => row.Tenant, row => row.Name))
                    followed += await FollowAsync(tenant.Key, [.. tenant], cancellationToken).ConfigureAwait(false);
                if (_failures > 0)
                    Log.ProjectionsGoOn(_logger);
                _failures = 0;
                if (followed == 0)
                    await connection.WaitAsync(_stuck.IsEmpty ? LookInterval : StuckDelay, cancellationToken).ConfigureAwait(false);
            }
        }
    }

    private async Task ThrowIfNewerAsync(NpgsqlConnection connection, CancellationToken cancellationToken)
    {
        try
        {
            await StoreSchema.ThrowIfNewerAsync(connection, _tables, cancellationToken).ConfigureAwait(false);
        }
        catch (MeshException)
        {
            // A connection in the pool keeps its locks until it is used again.
            await Sql.ExecuteAsync(connection, "select pg_advisory_unlock_all()", cancellationToken).ConfigureAwait(false);
            throw;
        }
    }

    /// <summary>Lets projections go to the end of a node's log; how many have moved.</summary>
    private async Task<int> FollowAsync(string tenant, IReadOnlyList<string> names, CancellationToken cancellationToken)
    {
        bool[] moved = await Task.WhenAll(_projections.Where(projection => names.Contains(projection.Name))
            .Select(projection => TryFollowAsync(tenant, projection, cancellationToken))).ConfigureAwait(false);
        return moved.Count(yes => yes);
    }

    /// <summary>What can't be folded of one log by one projection holds up neither the others nor the other logs.</summary>
    private async Task<bool> TryFollowAsync(string tenant, LogProjection projection, CancellationToken cancellationToken)
    {
        bool isStuck = _stuck.TryGetValue((tenant, projection), out long since);
        if (isStuck && _time.GetElapsedTime(since) < StuckDelay)
            return false;
        try
        {
            await projection.CatchUpAsync(tenant, cancellationToken).ConfigureAwait(false);
        }
        catch (Exception exception) when (!cancellationToken.IsCancellationRequested && StoreErrors.Classify(exception) != MeshError.StoreUnavailable)
        {
            _stuck[(tenant, projection)] = _time.GetTimestamp();
            if (!isStuck)
                Log.ProjectionStuck(_logger, projection.Name, tenant, exception);
            return false;
        }
        if (_stuck.TryRemove((tenant, projection), out _))
            Log.ProjectionGoesOn(_logger, projection.Name, tenant);
        return true;
    }
}
