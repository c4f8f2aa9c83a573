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
    private readonly string _passSql;
    private readonly string _pauseSql;
    private readonly LogReader _reader;
    private readonly ConcurrentDictionary<(string Tenant, LogProjection Projection), long> _stuck = [];
    private Task _running = Task.CompletedTask;
    private int _failures;
    private IReadOnlyDictionary<string, long>? _lags;

    public ProjectionRunner(NpgsqlDataSource source, LogTables tables, LogReader reader, IReadOnlyList<LogProjection> projections, TimeProvider time, ILogger logger)
    {
        _source = source;
        _tables = tables;
        _reader = reader;
        _projections = projections;
        _time = time;
        _logger = logger;
        _lockName = $"{tables.Schema}.projections";
        _listenSql = $"listen {tables.Channel}";
        _behindSql =
            $"""
            select n.tenant_id, p.name, coalesce(at.node_seq, 0), n.node_seq
            from {tables.Nodes} n
                join {tables.Schema}.projection p on p.name = any($1)
                left join {tables.Schema}.projection_position at on (at.name, at.generation, at.tenant_id) = (p.name, p.generation, n.tenant_id)
            where coalesce(at.node_seq, 0) < n.node_seq
            """;
        // Of a page that does not concern them, projections need no transaction each.
        _passSql =
            $"""
            insert into {tables.Schema}.projection_position as p (name, generation, tenant_id, node_seq)
            select name, generation, $1, $3 from {tables.Schema}.projection where name = any($4) and made_by <= {StoreSchema.Current}
            on conflict (name, generation, tenant_id) do update set node_seq = excluded.node_seq, paused_reason = null, paused_at = null where p.node_seq = $2
            """;
        _pauseSql =
            $"""
            insert into {tables.Schema}.projection_position as p (name, generation, tenant_id, node_seq, paused_reason, paused_at)
            select name, generation, $2, 0, $3, now() from {tables.Schema}.projection where name = $1
            on conflict (name, generation, tenant_id) do update
                set paused_reason = excluded.paused_reason, paused_at = coalesce(p.paused_at, excluded.paused_at)
            """;
    }

    /// <summary>How many places each projection is behind, over all logs, when last looked; null while another process leads.</summary>
    public IReadOnlyDictionary<string, long>? Lags => Volatile.Read(ref _lags);

    /// <summary>In how many logs each projection is paused; null while another process leads.</summary>
    public IReadOnlyDictionary<string, long>? Paused => Lags is null
        ? null
        : _projections.ToDictionary(projection => projection.Name, projection => (long)_stuck.Keys.Count(stuck => stuck.Projection == projection));

    public void Start()
    {
        ProjectionMetrics.Observe(this);
        // It outlives the caller: its activities must not become children of the open's.
        using (ExecutionContext.SuppressFlow())
            _running = Task.Run(RunAsync);
    }

    public async ValueTask DisposeAsync()
    {
        ProjectionMetrics.Forget(this);
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
            Volatile.Write(ref _lags, null);
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
            try
            {
                while (true)
                {
                    int followed = await FollowAllAsync(connection, cancellationToken).ConfigureAwait(false);
                    if (_failures > 0)
                        Log.ProjectionsGoOn(_logger);
                    _failures = 0;
                    if (followed == 0)
                        await connection.WaitAsync(_stuck.IsEmpty ? LookInterval : StuckDelay, cancellationToken).ConfigureAwait(false);
                }
            }
            catch (MeshException exception) when (exception.Error == MeshError.StoreIncompatible)
            {
                // Let a newer program lead: the connection lives on in the pool.
                await Sql.ExecuteAsync(connection, "select pg_advisory_unlock_all()", cancellationToken).ConfigureAwait(false);
                throw;
            }
        }
    }

    /// <summary>Looks once which projections are behind and lets them read on; how many have moved.</summary>
    private async Task<int> FollowAllAsync(NpgsqlConnection connection, CancellationToken cancellationToken)
    {
        await StoreSchema.ThrowIfNewerAsync(connection, _tables, cancellationToken).ConfigureAwait(false);
        // One parameter, not one for each.
        object names = _projections.Select(projection => projection.Name).ToArray();
        // Takes in the notifications that have come meanwhile, too: many appends are one round.
        List<(string Tenant, LogProjection Projection, long Position, long End)> behind = await Sql.QueryAsync(
            Sql.Command(connection, _behindSql, names),
            row => (row.GetString(0), _projections.Single(projection => projection.Name == row.GetString(1)), row.GetInt64(2), row.GetInt64(3)),
            cancellationToken).ConfigureAwait(false);
        Volatile.Write(
            ref _lags,
            _projections.ToDictionary(
                projection => projection.Name, projection => behind.Where(row => row.Projection == projection).Sum(row => row.End - row.Position)));
        behind.RemoveAll(row => _stuck.TryGetValue((row.Tenant, row.Projection), out long since) && _time.GetElapsedTime(since) < StuckDelay);
        int followed = 0;
        foreach (var tenant in behind.GroupBy(row => row.Tenant))
        {
            bool[] moved = await Task.WhenAll(tenant.GroupBy(row => row.Position)
                .Select(group => FollowAsync(tenant.Key, group.Key, [.. group.Select(row => row.Projection)], cancellationToken))).ConfigureAwait(false);
            followed += moved.Count(yes => yes);
        }
        return followed;
    }

    /// <summary>Lets projections that stand at one place of a log go on; whether any has moved.</summary>
    private async Task<bool> FollowAsync(string tenant, long position, IReadOnlyList<LogProjection> projections, CancellationToken cancellationToken)
    {
        // Read once for all of them: reading, above all the JSON, is most of the work.
        LogPage? page = projections.Count > 1 ? await TryReadAsync(tenant, position, projections, cancellationToken).ConfigureAwait(false) : null;
        LogProjection[] concerned = page is null ? [.. projections] : [.. projections.Where(projection => page.Events.Any(projection.Concerns))];
        LogProjection[] others = [.. projections.Except(concerned)];
        Task<bool[]> folding = Task.WhenAll(concerned.Select(projection => TryFollowAsync(tenant, projection, page, cancellationToken)));
        try
        {
            if (others.Length > 0)
                await PassAsync(tenant, page!, others, cancellationToken).ConfigureAwait(false);
        }
        finally
        {
            await folding.ConfigureAwait(false);
        }
        return others.Length > 0 || (await folding.ConfigureAwait(false)).Contains(true);
    }

    /// <summary>The next page for several projections; null when it can't be read: each then finds out by itself whether that concerns it.</summary>
    private async Task<LogPage?> TryReadAsync(string tenant, long position, IReadOnlyList<LogProjection> projections, CancellationToken cancellationToken)
    {
        try
        {
            NpgsqlConnection connection = await _source.OpenConnectionAsync(cancellationToken).ConfigureAwait(false);
            await using (connection.ConfigureAwait(false))
                return await _reader.ReadPageAsync(
                    connection, tenant, position, LogProjection.FilterFor(projections), LogReader.PageSize, cancellationToken).ConfigureAwait(false);
        }
        catch (Exception exception) when (!cancellationToken.IsCancellationRequested && StoreErrors.Classify(exception) != MeshError.StoreUnavailable)
        {
            return null;
        }
    }

    /// <summary>Lets projections go past a page in which nothing concerns them.</summary>
    private async Task PassAsync(string tenant, LogPage page, IReadOnlyList<LogProjection> projections, CancellationToken cancellationToken)
    {
        NpgsqlConnection connection = await _source.OpenConnectionAsync(cancellationToken).ConfigureAwait(false);
        await using (connection.ConfigureAwait(false))
        {
            object names = projections.Select(projection => projection.Name).ToArray();
            await Sql.ExecuteAsync(connection, _passSql, cancellationToken, tenant, page.After, page.UpTo, names).ConfigureAwait(false);
        }
        foreach (LogProjection projection in projections)
            GoesOn(tenant, projection);
    }

    /// <summary>What can't be folded of one log by one projection holds up neither the others nor the other logs.</summary>
    private async Task<bool> TryFollowAsync(string tenant, LogProjection projection, LogPage? page, CancellationToken cancellationToken)
    {
        try
        {
            await projection.CatchUpAsync(tenant, page, cancellationToken).ConfigureAwait(false);
        }
        catch (Exception exception) when (!cancellationToken.IsCancellationRequested && StoreErrors.Classify(exception) != MeshError.StoreUnavailable)
        {
            bool isNew = !_stuck.ContainsKey((tenant, projection));
            _stuck[(tenant, projection)] = _time.GetTimestamp();
            if (isNew)
                Log.ProjectionStuck(_logger, projection.Name, tenant, exception);
            await PauseAsync(tenant, projection, exception, cancellationToken).ConfigureAwait(false);
            return false;
        }
        GoesOn(tenant, projection);
        return true;
    }

    /// <summary>Keeps the reason where everybody can read it; the next page that is folded takes it away.</summary>
    private async Task PauseAsync(string tenant, LogProjection projection, Exception reason, CancellationToken cancellationToken)
    {
        NpgsqlConnection connection = await _source.OpenConnectionAsync(cancellationToken).ConfigureAwait(false);
        await using (connection.ConfigureAwait(false))
            await Sql.ExecuteAsync(connection, _pauseSql, cancellationToken, projection.Name, tenant, Texts.Write(reason.Message)).ConfigureAwait(false);
    }

    private void GoesOn(string tenant, LogProjection projection)
    {
        if (_stuck.TryRemove((tenant, projection), out _))
            Log.ProjectionGoesOn(_logger, projection.Name, tenant);
    }
}
