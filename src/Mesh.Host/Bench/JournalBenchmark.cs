using System.Diagnostics;
using System.Globalization;
using EventMesh.Events;
using EventMesh.Identity;
using EventMesh.Journal;
using EventMesh.Marten;
using EventMesh.Marten.Embedded;
using EventMesh.Marten.Queries;
using EventMesh.Marten.Store;
using EventMesh.Node;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;
using Npgsql;

namespace EventMesh.Host.Bench;

/// <summary>Measures the log: the journal of a node over a private PostgreSQL of this run's own, beside plain INSERTs of the same rows.</summary>
internal sealed class JournalBenchmark : IAsyncDisposable
{
    private readonly JournalBenchmarkOptions _options;
    private readonly TextWriter _progress;
    private readonly NodeId _node;
    private readonly string _folder;
    private readonly PrivatePostgres _server;
    private readonly NpgsqlDataSource _source;
    private readonly MartenEventStore _store;
    private readonly EventJournal _journal;
    private int _looked;

    /// <summary>What one counted burst of events made.</summary>
    private sealed record Round(double PerSecond, double RawPerSecond, double FoldedPerSecond, double RecordMicrosecondsP99)
    {
        public double Ratio => PerSecond / RawPerSecond;
    }

    private JournalBenchmark(JournalBenchmarkOptions options, TextWriter progress, NodeId node, string folder, PrivatePostgres server)
    {
        _options = options;
        _progress = progress;
        _node = node;
        _folder = folder;
        _server = server;
        _source = NpgsqlDataSource.Create(server.ConnectionString);
        _store = new MartenEventStore(
            Options.Create(new MeshStoreOptions { ConnectionString = server.ConnectionString }), TimeProvider.System, NullLoggerFactory.Instance);
        var journal = new MeshOptions { Journal = new JournalOptions { BatchSize = options.BatchSize, SpoolAfter = TimeSpan.FromMinutes(1) } };
        _journal = new EventJournal(_store, new EventSpool(), TimeProvider.System, Options.Create(journal), NullLogger<EventJournal>.Instance);
    }

    /// <value>Events in the log when all rounds are over.</value>
    private int Recorded => _options.Events * (1 + _options.Rounds);

    /// <summary>Does all measurements once.</summary>
    public static async Task<JournalBenchmarkResult> RunAsync(JournalBenchmarkOptions options, TextWriter progress, CancellationToken cancellationToken)
    {
        var node = new NodeId(Guid.NewGuid());
        string folder = Directory.CreateTempSubdirectory("eventmesh-bench-").FullName;
        try
        {
            PrivatePostgres server = await PrivatePostgres.StartAsync(
                node, folder, postgresBin: null, TimeProvider.System, NullLoggerFactory.Instance, cancellationToken);
            await using (server)
            {
                await using JournalBenchmark benchmark = new(options, progress, node, folder, server);
                return await benchmark.MeasureAsync(cancellationToken);
            }
        }
        finally
        {
            await PrivatePostgres.RemoveAsync(node, folder, CancellationToken.None);
            Directory.Delete(folder, recursive: true);
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _journal.DisposeAsync();
        await _store.DisposeAsync();
        await _source.DisposeAsync();
    }

    private async Task<JournalBenchmarkResult> MeasureAsync(CancellationToken cancellationToken)
    {
        await _progress.WriteLineAsync("SpoolAfter is raised to a minute, so that every event goes straight to PostgreSQL.");
        await _store.OpenAsync(_node, _folder, cancellationToken);
        await _journal.OpenAsync(
            _node, _folder, _ => new NodeStarted(_node, default, Guid.NewGuid(), PeerKind.Node, "bench", "none"), cancellationToken);
        // Once before it counts, as the raw rows: that compiles code and makes pages and plans.
        await RecordAsync(round: 0, cancellationToken);
        await CatchUpAsync(_store, _node, cancellationToken);
        await using RawInsertBenchmark raw = await RawInsertBenchmark.CreateAsync(_source, _options.BatchSize, cancellationToken);
        var rounds = new Round[_options.Rounds];
        for (int i = 0; i < rounds.Length; i++)
            rounds[i] = await MeasureRoundAsync(i + 1, raw, cancellationToken);
        double bytes = await MeasureBytesAsync(cancellationToken);
        double visible = await MeasureVisibleAsync(cancellationToken);
        (double rebuild, double rebuildLog) = await MeasureRebuildAsync(cancellationToken);
        double spool = MeasureSpool();
        (double serverNew, double server) = await MeasureServerAsync(cancellationToken);
        await using StartBenchmark starts = new();
        double startMilliseconds = await MeasureStartAsync(starts, 0, cancellationToken);
        double? startLong = _options.LongLog > 0 ? await MeasureStartAsync(starts, _options.LongLog, cancellationToken) : null;
        return new JournalBenchmarkResult
        {
            EventsPerSecond = rounds.Select(round => round.PerSecond).Median(),
            RawInsertRowsPerSecond = rounds.Select(round => round.RawPerSecond).Median(),
            RatioToRawInsert = Math.Round(rounds.Select(round => round.Ratio).Median(), 3),
            FoldedEventsPerSecond = rounds.Select(round => round.FoldedPerSecond).Median(),
            RecordMicrosecondsP99 = rounds.Select(round => round.RecordMicrosecondsP99).Median(),
            VisibleMillisecondsP50 = visible,
            RebuildEventsPerSecond = rebuild,
            RebuildLogEventsPerSecond = rebuildLog,
            SpoolEventsPerSecond = spool,
            BytesPerEvent = bytes,
            StartMilliseconds = startMilliseconds,
            StartLongLogMilliseconds = startLong,
            PrivateServerMilliseconds = server,
            PrivateServerNewMilliseconds = serverNew,
        };
    }

    /// <summary>The journal, and right after it the raw rows: a machine's minutes differ more than the two.</summary>
    private async Task<Round> MeasureRoundAsync(int number, RawInsertBenchmark raw, CancellationToken cancellationToken)
    {
        long start = Stopwatch.GetTimestamp();
        (double perSecond, double recordP99) = await RecordAsync(number, cancellationToken);
        await CatchUpAsync(_store, _node, cancellationToken);
        double folded = _options.Events / Stopwatch.GetElapsedTime(start).TotalSeconds;
        var round = new Round(perSecond, await raw.InsertAsync(cancellationToken), folded, recordP99);
        await _progress.WriteLineAsync(string.Create(CultureInfo.InvariantCulture,
            $"round {number}: {round.PerSecond:N0} events/s, {round.RawPerSecond:N0} raw rows/s, ratio {round.Ratio:N2}, {round.FoldedPerSecond:N0} folded/s"));
        return round;
    }

    private async Task<(double PerSecond, double RecordMicrosecondsP99)> RecordAsync(int round, CancellationToken cancellationToken)
    {
        int count = _options.Events;
        // Made before, so that only the journal is measured.
        IMeshEvent[] events = [.. Enumerable.Range(round * count, count).Select(BenchmarkEvents.At)];
        var ticks = new long[count];
        var recorded = new RecordedEvent[count];
        long start = Stopwatch.GetTimestamp();
        for (int i = 0; i < count; i++)
        {
            long before = Stopwatch.GetTimestamp();
            recorded[i] = _journal.Record(events[i]);
            ticks[i] = Stopwatch.GetTimestamp() - before;
            if (i % _options.BatchSize == 0 && i >= _options.UnderWay)
                await _journal.WhenDurableAsync(recorded[i - _options.UnderWay], cancellationToken);
        }
        await _journal.WhenDurableAsync(recorded[^1], cancellationToken);
        double perSecond = count / Stopwatch.GetElapsedTime(start).TotalSeconds;
        Array.Sort(ticks);
        return (perSecond, ticks[(int)(count * 0.99)] * 1e6 / Stopwatch.Frequency);
    }

    /// <summary>Waits until all projections have followed the log to its end.</summary>
    private static async Task CatchUpAsync(MartenEventStore store, NodeId node, CancellationToken cancellationToken)
    {
        while (true)
        {
            IReadOnlyList<ProjectionStatus> projections = await store.Queries.GetProjectionsAsync(node, cancellationToken);
            if (projections.All(projection => projection.Lag == 0))
                return;
            await Task.Delay(20, cancellationToken);
        }
    }

    private async Task<double> MeasureBytesAsync(CancellationToken cancellationToken)
    {
        await using NpgsqlCommand command = _source.CreateCommand("select pg_total_relation_size('mesh.mt_events') / (select count(*) from mesh.mt_events)::float8");
        return (double)(await command.ExecuteScalarAsync(cancellationToken))!;
    }

    private async Task<double> MeasureVisibleAsync(CancellationToken cancellationToken)
    {
        await using NpgsqlConnection connection = await _source.OpenConnectionAsync(cancellationToken);
        await using NpgsqlCommand look = new("select exists (select 1 from mesh.connection_history where node_id = $1 and connection = $2)", connection)
        {
            Parameters = { new NpgsqlParameter<Guid> { TypedValue = _node.Value }, new NpgsqlParameter<Guid>() },
        };
        await look.PrepareAsync(cancellationToken);
        var times = new double[_options.Looks];
        for (int i = 0; i < times.Length; i++)
        {
            var opened = (ConnectionOpened)BenchmarkEvents.At(Recorded + (8 * ++_looked));
            ((NpgsqlParameter<Guid>)look.Parameters[1]).TypedValue = opened.Connection;
            long start = Stopwatch.GetTimestamp();
            _journal.Record(opened);
            while (!(bool)(await look.ExecuteScalarAsync(cancellationToken))!)
            {
            }
            times[i] = Stopwatch.GetElapsedTime(start).TotalMilliseconds;
        }
        Array.Sort(times);
        return times[times.Length / 2];
    }

    private async Task<(double Folded, double Log)> MeasureRebuildAsync(CancellationToken cancellationToken)
    {
        double slowest = double.MaxValue;
        double longest = 0;
        foreach (ProjectionStatus projection in await _store.Queries.GetProjectionsAsync(_node, cancellationToken))
        {
            int folded = BenchmarkEvents.CountFolded(projection.Name, Recorded);
            if (folded == 0)
                continue;
            // Once before it counts, as above.
            await _store.Queries.RebuildAsync(projection.Name, cancellationToken);
            var times = new double[_options.Rounds];
            for (int i = 0; i < times.Length; i++)
            {
                long start = Stopwatch.GetTimestamp();
                await _store.Queries.RebuildAsync(projection.Name, cancellationToken);
                times[i] = Stopwatch.GetElapsedTime(start).TotalSeconds;
            }
            double seconds = times.Median();
            double perSecond = folded / seconds;
            await _progress.WriteLineAsync(string.Create(CultureInfo.InvariantCulture, $"rebuild of {projection.Name}: {perSecond:N0} events/s"));
            slowest = Math.Min(slowest, perSecond);
            longest = Math.Max(longest, seconds);
        }
        return (slowest, Recorded / longest);
    }

    private double MeasureSpool()
    {
        RecordedEvent[] events = Place([.. Enumerable.Range(0, _options.Events / 2).Select(BenchmarkEvents.At)]);
        using var spool = new EventSpool();
        string folder = Path.Combine(_folder, "spool");
        spool.Open(_node, folder);
        long start = Stopwatch.GetTimestamp();
        for (int i = 0; i < events.Length; i += _options.BatchSize)
            spool.Append(new ArraySegment<RecordedEvent>(events, i, Math.Min(_options.BatchSize, events.Length - i)));
        return events.Length / Stopwatch.GetElapsedTime(start).TotalSeconds;
    }

    private async Task<(double New, double Existing)> MeasureServerAsync(CancellationToken cancellationToken)
    {
        string data = Path.Combine(_folder, "server");
        Directory.CreateDirectory(data);
        var node = new NodeId(Guid.NewGuid());
        var times = new double[1 + _options.Starts];
        try
        {
            for (int i = 0; i < times.Length; i++)
            {
                long start = Stopwatch.GetTimestamp();
                PrivatePostgres server = await PrivatePostgres.StartAsync(
                    node, data, postgresBin: null, TimeProvider.System, NullLoggerFactory.Instance, cancellationToken);
                times[i] = Stopwatch.GetElapsedTime(start).TotalMilliseconds;
                await server.DisposeAsync();
            }
        }
        finally
        {
            await PrivatePostgres.RemoveAsync(node, data, CancellationToken.None);
        }
        Array.Sort(times, 1, _options.Starts);
        return (times[0], times[1 + (_options.Starts / 2)]);
    }

    private async Task<double> MeasureStartAsync(StartBenchmark starts, int events, CancellationToken cancellationToken)
    {
        string data = Path.Combine(_folder, $"node-{events}");
        Directory.CreateDirectory(data);
        // Its own private server, as an operator's node has; the log is filled before its first start.
        var node = new NodeId(Guid.NewGuid());
        await File.WriteAllTextAsync(Path.Combine(data, "node-id"), node.ToString(), cancellationToken);
        try
        {
            if (events > 0)
                await FillAsync(node, data, events, cancellationToken);
            return await starts.MeasureAsync(data, connectionString: null, _options.Starts, cancellationToken);
        }
        finally
        {
            await PrivatePostgres.RemoveAsync(node, data, CancellationToken.None);
        }
    }

    private async Task FillAsync(NodeId node, string data, int events, CancellationToken cancellationToken)
    {
        await using PrivatePostgres server = await PrivatePostgres.StartAsync(
            node, data, postgresBin: null, TimeProvider.System, NullLoggerFactory.Instance, cancellationToken);
        await using (MartenEventStore store = new(
            Options.Create(new MeshStoreOptions { ConnectionString = server.ConnectionString }), TimeProvider.System, NullLoggerFactory.Instance))
        {
            await store.OpenAsync(node, data, cancellationToken);
            RecordedEvent[] log = Place([.. Enumerable.Range(0, events).Select(BenchmarkEvents.At), .. BenchmarkEvents.Evictions]);
            await store.ClaimEpochAsync(node, log[0] with { Data = new NodeStarted(node, default, Guid.NewGuid(), PeerKind.Node, "bench", "none") }, cancellationToken);
            for (int i = 1; i < log.Length; i += _options.BatchSize)
                await store.AppendAsync(node, new ArraySegment<RecordedEvent>(log, i, Math.Min(_options.BatchSize, log.Length - i)), cancellationToken);
            // As a node would have left it: else the starts are measured beside minutes of projecting,
            await CatchUpAsync(store, node, cancellationToken);
        }
        // and of the vacuum that each of them would begin anew.
        await using NpgsqlConnection connection = new(server.ConnectionString);
        await connection.OpenAsync(cancellationToken);
        await using NpgsqlCommand vacuum = new("vacuum analyze", connection) { CommandTimeout = 0 };
        await vacuum.ExecuteNonQueryAsync(cancellationToken);
    }

    /// <summary>Events a second apart, up to now.</summary>
    private static RecordedEvent[] Place(IMeshEvent[] events)
    {
        DateTimeOffset from = TimeProvider.System.GetUtcNow().AddSeconds(-events.Length);
        from = from.AddTicks(-(from.Ticks % TimeSpan.TicksPerSecond));
        return [.. events.Select((data, i) => new RecordedEvent(Guid.CreateVersion7(), 1, i + 1, from.AddSeconds(i), data, null))];
    }
}
