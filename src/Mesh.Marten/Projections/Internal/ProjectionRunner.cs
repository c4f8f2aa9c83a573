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

    // How long a round lets this node's appends pass while they fill whole batches: the log comes first, and what is folded later is not lost.
    private static readonly TimeSpan YieldLimit = TimeSpan.FromSeconds(1);

    // After a round with so many places to fold, which one exchange with a peer does not reach, more come soon: a rest of twice the round's time, at most this
    // long, lets them gather, and one round costs little more for many places than for a few.
    private const int StreamPlaces = 16;
    private static readonly TimeSpan MaxRest = TimeSpan.FromMilliseconds(100);

    // Pages of one log before another gets its turn: a log that is far behind holds up the others by a second or so.
    private const int PagesInTurn = 20;

    private readonly NpgsqlDataSource _source;
    private readonly LogTables _tables;
    private readonly LogReader _reader;
    private readonly IReadOnlyList<LogProjection> _projections;
    private readonly ProjectionLease _lease;
    private readonly AppendPressure _pressure;
    private readonly JointFold _jointFold;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly CancellationTokenSource _stopping = new();
    private readonly SemaphoreSlim _folding;
    private readonly string _channel;
    private readonly string _behindSql;
    private readonly string _behindOfSql;
    private readonly string _pauseSql;
    private readonly Dictionary<(string Tenant, string Projection), long> _behind = [];
    private readonly ConcurrentDictionary<(string Tenant, LogProjection Projection), long> _stuck = [];
    private Task _running = Task.CompletedTask;
    private long _term;
    private long _rounds;
    private int _failures;
    private IReadOnlyDictionary<string, long>? _lags;
    private bool _isDisposed;

    public ProjectionRunner(
        NpgsqlDataSource source, LogTables tables, NodeId node, int connections, LogReader reader, IReadOnlyList<LogProjection> projections,
        AppendPressure pressure, TimeProvider time, ILogger logger)
    {
        _source = source;
        _tables = tables;
        _reader = reader;
        _projections = projections;
        _lease = new ProjectionLease(tables, node);
        _pressure = pressure;
        _jointFold = new JointFold(tables.Schema, _lease);
        _time = time;
        _logger = logger;
        _folding = new SemaphoreSlim(connections, connections);
        _channel = tables.Channel;
        _behindSql = BehindSql(tables, all: true);
        _behindOfSql = BehindSql(tables, all: false);
        _pauseSql =
            $"""
            insert into {tables.Schema}.projection_position as p (name, generation, tenant_id, node_seq, paused_reason, paused_at)
            select name, generation, $2, 0, $3, now() from {tables.Schema}.projection where name = $1
            on conflict (name, generation, tenant_id) do update
                set paused_reason = excluded.paused_reason, paused_at = coalesce(p.paused_at, excluded.paused_at)
            """;
    }

    /// <summary>The term in which this process leads; 0 while another does.</summary>
    public long Term => Volatile.Read(ref _term);

    /// <summary>How often it has looked for what is behind.</summary>
    internal long Rounds => Volatile.Read(ref _rounds);

    /// <summary>SQL: which projections ($1) are behind, of all logs or of some ($2).</summary>
    internal static string BehindSql(LogTables tables, bool all) =>
        $"""
        select n.tenant_id, p.name, coalesce(at.node_seq, 0), n.node_seq
        from {tables.Nodes} n
            join {tables.Schema}.projection p on p.name = any($1)
            left join {tables.Schema}.projection_position at on (at.name, at.generation, at.tenant_id) = (p.name, p.generation, n.tenant_id)
        where coalesce(at.node_seq, 0) < n.node_seq and n.{ImportSchema.IsWhole} {(all ? "" : "and n.tenant_id = any($2)")}
        """;

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
                Volatile.Write(ref _lags, null);
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
            await _pressure.WhenEasedAsync(YieldLimit, cancellationToken).ConfigureAwait(false);
            string[]? tenants = wake.Reset();
            if (tenants is null)
                lastLook = _time.GetTimestamp();
            // Takes in the notifications that have come meanwhile, too: many appends are one round.
            long start = _time.GetTimestamp();
            List<Behind> behind = await LookAsync(connection, names, tenants, cancellationToken).ConfigureAwait(false);
            Interlocked.Increment(ref _rounds);
            bool isMore = false;
            foreach (IGrouping<string, Behind> tenant in behind.GroupBy(row => row.Tenant))
            {
                bool[] more = await Task.WhenAll(tenant.GroupBy(row => row.Position)
                    .Select(group => FollowAsync(tenant.Key, group.Key, [.. group.Select(row => row.Projection)], term, cancellationToken))).ConfigureAwait(false);
                if (more.Contains(true))
                {
                    wake.Add(tenant.Key);
                    isMore = true;
                }
            }
            if (_failures > 0)
                Log.ProjectionsGoOn(_logger);
            _failures = 0;
            if (!isMore && behind.Exists(row => row.End - row.Position >= StreamPlaces))
            {
                TimeSpan rest = 2 * _time.GetElapsedTime(start);
                await Task.Delay(rest < MaxRest ? rest : MaxRest, _time, cancellationToken).ConfigureAwait(false);
            }
        }
    }

    /// <summary>Looks which projections are behind in some logs, null for all, and can go on.</summary>
    private async Task<List<Behind>> LookAsync(NpgsqlConnection connection, object names, string[]? tenants, CancellationToken cancellationToken)
    {
        await StoreSchema.ThrowIfNewerAsync(connection, _tables, cancellationToken).ConfigureAwait(false);
        NpgsqlCommand look = tenants is null
            ? Sql.Command(connection, _behindSql, names)
            : await Sql.PrepareAsync(connection, _behindOfSql, cancellationToken, names, tenants).ConfigureAwait(false);
        List<Behind> behind = await Sql.QueryAsync(
            look,
            row => new Behind(row.GetString(0), _projections.Single(projection => projection.Name == row.GetString(1)), row.GetInt64(2), row.GetInt64(3)),
            cancellationToken).ConfigureAwait(false);
        foreach ((string Tenant, string Projection) key in _behind.Keys.Where(key => tenants?.Contains(key.Tenant) != false).ToList())
            _behind.Remove(key);
        foreach (Behind row in behind)
            _behind[(row.Tenant, row.Projection.Name)] = row.End - row.Position;
        Volatile.Write(
            ref _lags,
            _projections.ToDictionary(
                projection => projection.Name, projection => _behind.Where(entry => entry.Key.Projection == projection.Name).Sum(entry => entry.Value)));
        behind.RemoveAll(row => _stuck.TryGetValue((row.Tenant, row.Projection), out long since) && _time.GetElapsedTime(since) < StuckDelay);
        return behind;
    }

    /// <summary>Lets projections that stand at one place of a log go on, for one turn; whether there is more.</summary>
    private async Task<bool> FollowAsync(
        string tenant, long position, IReadOnlyList<LogProjection> projections, long term, CancellationToken cancellationToken)
    {
        if (projections.Count == 1)
            return await TryFollowAsync(tenant, projections[0], page: null, term, cancellationToken).ConfigureAwait(false);
        // Read once for all of them: reading, above all the JSON, is most of the work.
        LogPage? page = await TryReadAsync(tenant, position, projections, cancellationToken).ConfigureAwait(false);
        for (int pages = 1; page is not null; pages++)
        {
            bool isEnd = page.IsLast || pages == PagesInTurn || _pressure.IsHigh;
            // While one page is written, the next is read.
            Task<LogPage?> next = isEnd ? Task.FromResult<LogPage?>(null) : TryReadAsync(tenant, page.UpTo, projections, cancellationToken);
            bool isFolded;
            try
            {
                isFolded = await TryFollowTogetherAsync(tenant, page, projections, term, cancellationToken).ConfigureAwait(false);
            }
            finally
            {
                await ((Task)next).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }
            if (!isFolded)
                break;
            if (isEnd)
                return !page.IsLast;
            page = await next.ConfigureAwait(false);
        }
        bool[] more = await Task.WhenAll(projections.Select(projection => TryFollowAsync(tenant, projection, page, term, cancellationToken)))
            .ConfigureAwait(false);
        return more.Contains(true);
    }

    /// <summary>Folds a page into all of some projections; false, and nothing done, where they have to go on each by itself.</summary>
    private async Task<bool> TryFollowTogetherAsync(
        string tenant, LogPage page, IReadOnlyList<LogProjection> projections, long term, CancellationToken cancellationToken)
    {
        try
        {
            if (!await ConnectAsync(
                connection => _jointFold.TryFoldAsync(connection, tenant, page, projections, term, cancellationToken), cancellationToken).ConfigureAwait(false))
                return false;
        }
        catch (Exception exception) when (IsOfEvents(exception, cancellationToken))
        {
            return false;
        }
        foreach (LogProjection projection in projections)
            GoesOn(tenant, projection);
        return true;
    }

    /// <summary>The next page for several projections; null when it can't be read: each then finds out by itself whether that concerns it.</summary>
    private async Task<LogPage?> TryReadAsync(string tenant, long position, IReadOnlyList<LogProjection> projections, CancellationToken cancellationToken)
    {
        try
        {
            return await ConnectAsync(
                connection => _reader.ReadPageAsync(connection, tenant, position, LogProjection.FilterFor(projections), LogReader.PageSize, cancellationToken),
                cancellationToken).ConfigureAwait(false);
        }
        catch (Exception exception) when (IsOfEvents(exception, cancellationToken))
        {
            return null;
        }
    }

    /// <summary>What can't be folded of one log by one projection holds up neither the others nor the other logs.</summary>
    private async Task<bool> TryFollowAsync(string tenant, LogProjection projection, LogPage? page, long term, CancellationToken cancellationToken)
    {
        bool more;
        await _folding.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            more = await projection.CatchUpAsync(tenant, page, _lease, term, _pressure.IsHigh ? 1 : PagesInTurn, cancellationToken).ConfigureAwait(false);
        }
        catch (Exception exception) when (IsOfEvents(exception, cancellationToken))
        {
            bool isNew = !_stuck.ContainsKey((tenant, projection));
            _stuck[(tenant, projection)] = _time.GetTimestamp();
            if (isNew)
                Log.ProjectionStuck(_logger, projection.Name, tenant, exception);
            await PauseAsync(tenant, projection, exception, cancellationToken).ConfigureAwait(false);
            return false;
        }
        finally
        {
            _folding.Release();
        }
        GoesOn(tenant, projection);
        return more;
    }

    /// <summary>Whether the reason of a failure is what a projection was to fold, not the database or the lease.</summary>
    private static bool IsOfEvents(Exception exception, CancellationToken cancellationToken) => !cancellationToken.IsCancellationRequested
        && exception is not LeaseLostException && StoreErrors.Classify(exception) != MeshError.StoreUnavailable;

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

    /// <summary>Does something on one of the connections that are meant for folding.</summary>
    private async Task<T> ConnectAsync<T>(Func<NpgsqlConnection, Task<T>> work, CancellationToken cancellationToken)
    {
        await _folding.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            NpgsqlConnection connection = await _source.OpenConnectionAsync(cancellationToken).ConfigureAwait(false);
            await using (connection.ConfigureAwait(false))
                return await work(connection).ConfigureAwait(false);
        }
        finally
        {
            _folding.Release();
        }
    }

    /// <summary>A projection that has not folded a log to its end.</summary>
    private sealed record Behind(string Tenant, LogProjection Projection, long Position, long End);
}
