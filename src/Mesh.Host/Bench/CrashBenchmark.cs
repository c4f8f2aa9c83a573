using System.Diagnostics;
using System.Globalization;
using EventMesh.Identity;
using EventMesh.Marten.Embedded;

namespace EventMesh.Host.Bench;

/// <summary>
/// Kills a node's journal, its PostgreSQL or both with SIGKILL at random points under load, starts again, and compares what had been acknowledged with what
/// the log has, the log with the state folded from it, and the state with the projections, live and rebuilt. The node is a process of its own that tells of
/// each event when it is recorded and when it is durable, see <see cref="CrashBenchmarkNode"/>.
/// </summary>
internal sealed class CrashBenchmark : IAsyncDisposable
{
    private enum Victim
    {
        Node,
        Server,
        Both,
    }

    private static readonly TimeSpan Limit = TimeSpan.FromMinutes(3);

    private readonly CrashBenchmarkOptions _options;
    private readonly TextWriter _progress;
    private readonly Random _random;
    private readonly NodeId _node = new(Guid.NewGuid());
    private readonly string _folder = Directory.CreateTempSubdirectory("eventmesh-crash-").FullName;
    private readonly HashSet<Guid> _ids = [];
    private readonly List<double> _oldestLost = [];
    private readonly int[] _killed = new int[3];
    private CrashBenchmarkRun? _run;
    private int _starts;
    private int _rebuilds;
    private long _verified;
    private long _acknowledged;
    private long _unacknowledgedLost;
    private long _closed;

    private CrashBenchmark(CrashBenchmarkOptions options, TextWriter progress)
    {
        _options = options;
        _progress = progress;
#pragma warning disable CA5394 // Not for security: the point is that a seed repeats it.
        _random = new Random(options.Seed);
#pragma warning restore CA5394
    }

    /// <summary>Does all points once; fails with the first deviation.</summary>
    public static async Task<CrashBenchmarkResult> RunAsync(CrashBenchmarkOptions options, TextWriter progress, CancellationToken cancellationToken)
    {
        long start = Stopwatch.GetTimestamp();
        CrashBenchmark benchmark = new(options, progress);
        await using (benchmark)
        {
            for (int point = 1; point <= options.Points; point++)
            {
                try
                {
                    await benchmark.CrashAsync(cancellationToken);
                }
                catch (MeshException exception)
                {
                    throw new MeshException(exception.Error, $"Seed {options.Seed}, point {point}: {exception.Message}", exception);
                }
                if (point % 10 == 0)
                    await progress.WriteLineAsync(string.Create(CultureInfo.InvariantCulture, $"{point} points, {benchmark._verified} events in the log"));
            }
            await benchmark.FinishAsync(cancellationToken);
            double[] oldest = [.. benchmark._oldestLost.Order()];
            return new CrashBenchmarkResult
            {
                Seed = options.Seed,
                Points = options.Points,
                NodeKilled = benchmark._killed[(int)Victim.Node],
                ServerKilled = benchmark._killed[(int)Victim.Server],
                BothKilled = benchmark._killed[(int)Victim.Both],
                Acknowledged = benchmark._acknowledged,
                Events = benchmark._verified,
                ClosedAsCrash = benchmark._closed,
                PointsWithLoss = oldest.Length,
                UnacknowledgedLost = benchmark._unacknowledgedLost,
                OldestLostMillisecondsP50 = oldest.Length == 0 ? 0 : oldest[oldest.Length / 2],
                OldestLostMillisecondsMax = oldest.Length == 0 ? 0 : oldest[^1],
                Rebuilds = benchmark._rebuilds,
                Seconds = Stopwatch.GetElapsedTime(start).TotalSeconds,
            };
        }
    }

    public async ValueTask DisposeAsync()
    {
        if (_run is not null)
            await _run.DisposeAsync();
        await PrivatePostgres.RemoveAsync(_node, _folder, CancellationToken.None);
        Directory.Delete(_folder, recursive: true);
    }

    private async Task CrashAsync(CancellationToken cancellationToken)
    {
        // Drawn in one go, so that a seed gives the same kinds and times however the points fare.
        var victim = (Victim)_random.Next(3);
        TimeSpan load = _options.MaxLoad * _random.NextDouble();
        TimeSpan gap = TimeSpan.FromMilliseconds(30 * _random.NextDouble());
        bool isServerFirst = _random.Next(2) == 0;

        _run ??= await StartAsync(isLast: false, previous: null, cancellationToken);
        await Task.Delay(load, cancellationToken);
        _run.ThrowIfEnded();
        if (victim == Victim.Server || (victim == Victim.Both && isServerFirst))
            await KillServerAsync(cancellationToken);
        if (victim == Victim.Both)
            await Task.Delay(gap, cancellationToken);
        if (victim != Victim.Server)
        {
            int? server = victim == Victim.Both && !isServerFirst ? FindServer() : null;
            await _run.KillAsync(cancellationToken);
            if (server is { } id)
                Kill(id);
        }
        _killed[(int)victim]++;
        if (victim != Victim.Server)
        {
            // What it told of is compared with the log that the next one finds.
            CrashBenchmarkRun ended = _run;
            _run = null;
            _run = await StartAsync(isLast: false, ended, cancellationToken);
        }
    }

    private async Task FinishAsync(CancellationToken cancellationToken)
    {
        if (_run is { } last)
        {
            _run = null;
            await last.KillAsync(cancellationToken);
            _run = await StartAsync(isLast: true, last, cancellationToken);
        }
    }

    private async Task<CrashBenchmarkRun> StartAsync(bool isLast, CrashBenchmarkRun? previous, CancellationToken cancellationToken)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        limit.CancelAfter(Limit);
        bool isRebuilding = isLast || (_starts > 0 && _starts % _options.RebuildEvery == 0);
        CrashBenchmarkRun run = CrashBenchmarkRun.Start(_folder, _node, _verified, _starts++, isRebuilding);
        try
        {
            await run.WhenReadyAsync(limit.Token);
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            await run.DisposeAsync();
            throw Deviation($"The node did not start within {Limit.TotalMinutes} minutes.");
        }
        catch
        {
            await run.DisposeAsync();
            throw;
        }
        if (isRebuilding)
            _rebuilds++;
        Compare(run.Tail, previous);
        if (previous is not null)
            await previous.DisposeAsync();
        return run;
    }

    // The log since the last comparison: without a gap, each event once; and of the killed process everything that it had acknowledged, where it was.
    private void Compare(IReadOnlyList<CrashLogLine> tail, CrashBenchmarkRun? previous)
    {
        long from = _verified;
        foreach (CrashLogLine line in tail)
        {
            if (line.Seq != _verified + 1)
                throw Deviation($"The log has event {line.Seq} after event {_verified}.");
            if (!_ids.Add(line.Id))
                throw Deviation($"The log has the event {line.Id} twice, the second time at {line.Seq}.");
            _verified++;
            if (line.IsCrashEnd)
                _closed++;
        }
        if (previous is null)
            return;
        long lost = 0;
        double oldest = 0;
        foreach (CrashRecordLine recorded in previous.Recorded)
        {
            if (recorded.Seq <= from)
                throw Deviation($"The killed node told of event {recorded.Seq}, which an earlier one had recorded.");
            bool isThere = recorded.Seq <= _verified && tail[(int)(recorded.Seq - from - 1)].Id == recorded.Id;
            if (recorded.Seq <= previous.LastDurable)
            {
                if (!isThere)
                    throw Deviation($"Event {recorded.Seq} ({recorded.Id}) was acknowledged and is not in the log at its place.");
                _acknowledged++;
            }
            else if (!isThere)
            {
                lost++;
                oldest = Math.Max(oldest, Stopwatch.GetElapsedTime(recorded.Timestamp, previous.KilledAt).TotalMilliseconds);
            }
        }
        if (lost == 0)
            return;
        _unacknowledgedLost += lost;
        _oldestLost.Add(oldest);
    }

    private async Task KillServerAsync(CancellationToken cancellationToken)
    {
        // It may still be on its way up after the last kill.
        long start = Stopwatch.GetTimestamp();
        int? server;
        while ((server = FindServer()) is null)
        {
            if (Stopwatch.GetElapsedTime(start) > Limit)
                throw Deviation("The server did not come back.");
            await Task.Delay(10, cancellationToken);
        }
        Kill(server.Value);
    }

    private int? FindServer()
    {
        try
        {
            string file = Path.Combine(PrivatePostgres.Locate(_node, _folder).DataDirectory, "postmaster.pid");
            string? first = File.ReadLines(file).FirstOrDefault();
            if (!int.TryParse(first, CultureInfo.InvariantCulture, out int id))
                return null;
            using var process = Process.GetProcessById(id);
            return process.ProcessName.StartsWith("postgres", StringComparison.Ordinal) && !process.HasExited ? id : null;
        }
        catch (Exception e) when (e is IOException or ArgumentException or InvalidOperationException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    private static void Kill(int id)
    {
        try
        {
            using var process = Process.GetProcessById(id);
            process.Kill();
        }
        catch (Exception e) when (e is ArgumentException or InvalidOperationException)
        {
            // It ended with its node.
        }
    }

    private static MeshException Deviation(string what) => new(MeshError.Unknown, what);
}
