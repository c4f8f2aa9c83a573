using System.Diagnostics;
using System.Globalization;
using EventMesh.Identity;
using EventMesh.Journal;
using EventMesh.Marten.Embedded;
using EventMesh.Messaging;
using Microsoft.Extensions.Logging.Abstractions;
using Npgsql;

namespace EventMesh.Host.Bench;

/// <summary>Takes PostgreSQL away from a node that records events and talks to a peer: what its peer notices of it, and whether the log has everything afterwards.</summary>
internal sealed class OutageBenchmark(OutageBenchmarkOptions options, TextWriter progress)
{
    private static readonly TimeSpan DrainLimit = TimeSpan.FromMinutes(10);

    private readonly NodeId _server = new(Guid.NewGuid());
    private readonly string _folder = Directory.CreateTempSubdirectory("eventmesh-outage-").FullName;
    private readonly Lock _mutex = new();
    private List<double> _trips = [];
    private PrivatePostgres? _postgres;
    private long _recorded;

    /// <summary>Does the measurement once.</summary>
    public async Task<OutageBenchmarkResult> RunAsync(CancellationToken cancellationToken)
    {
        try
        {
            _postgres = await StartServerAsync(cancellationToken);
            BenchmarkNode node = await BenchmarkNode.StartAsync(isStored: true, cancellationToken, _postgres.ConnectionString);
            await using (node)
            {
                BenchmarkNode other = await BenchmarkNode.StartAsync(isStored: false, cancellationToken);
                await using (other)
                    return await MeasureAsync(node, other, cancellationToken);
            }
        }
        finally
        {
            if (_postgres is not null)
                await _postgres.DisposeAsync();
            await PrivatePostgres.RemoveAsync(_server, _folder, CancellationToken.None);
            Directory.Delete(_folder, recursive: true);
        }
    }

    private async Task<OutageBenchmarkResult> MeasureAsync(BenchmarkNode node, BenchmarkNode other, CancellationToken cancellationToken)
    {
        PeerInfo peer = await node.Mesh.ConnectAsync(other.Mesh.LocalEndPoint, cancellationToken: cancellationToken);
        using var ending = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        Task load = RecordAsync(node.Journal, ending.Token);
        Task trips = TripAsync(node, peer.Peer, ending.Token);
        long start = Stopwatch.GetTimestamp();

        // Code is compiled and pages are made first.
        await Task.WhenAny(Task.Delay(options.Before / 2, cancellationToken), load, trips);
        TakeP99();
        await Task.WhenAny(Task.Delay(options.Before, cancellationToken), load, trips);
        double before = TakeP99();
        await progress.WriteLineAsync($"PostgreSQL goes; round trips took {before:F0} us (p99).".AsMemory(), cancellationToken);

        string connectionString = _postgres!.ConnectionString;
        long goes = Stopwatch.GetTimestamp();
        int[] stopped = options.IsShutdown ? [] : await StopServerAsync(cancellationToken);
        if (options.IsShutdown)
            await _postgres.DisposeAsync();
        await Task.WhenAny(Task.Delay(options.Outage, cancellationToken), load, trips);
        double during = TakeP99();
        if (options.IsShutdown)
            _postgres = await StartServerAsync(cancellationToken);
        else
            await SignalAsync("-CONT", stopped, cancellationToken);
        double outage = Stopwatch.GetElapsedTime(goes).TotalSeconds;
        long spooled = node.Journal.Status.Spooled;
        await progress.WriteLineAsync($"PostgreSQL is back; {spooled} events wait.".AsMemory(), cancellationToken);

        long back = Stopwatch.GetTimestamp();
        await DrainAsync(node.Journal, load, trips, cancellationToken);
        double drain = Stopwatch.GetElapsedTime(back).TotalSeconds;
        double draining = TakeP99();
        double seconds = Stopwatch.GetElapsedTime(start).TotalSeconds;
        await ending.CancelAsync();
        await Task.WhenAll(load, trips);
        await DrainAsync(node.Journal, load: null, trips: null, cancellationToken);
        long events = await CheckAsync(node, connectionString, cancellationToken);
        return new OutageBenchmarkResult
        {
            By = options.IsShutdown ? "shutdown" : "stopped",
            OutageSeconds = outage,
            EventsPerSecond = _recorded / seconds,
            RoundTripMicrosecondsP99Before = before,
            RoundTripMicrosecondsP99During = during,
            RoundTripMicrosecondsP99Draining = draining,
            Spooled = spooled,
            DrainSeconds = drain,
            Events = events,
        };
    }

    private async Task RecordAsync(EventJournal journal, CancellationToken cancellationToken)
    {
        long start = Stopwatch.GetTimestamp();
        try
        {
            while (true)
            {
                // As many as are due, so that a late timer costs none.
                long due = (long)(Stopwatch.GetElapsedTime(start).TotalSeconds * options.Rate);
                for (; _recorded < due; _recorded++)
                    journal.Record(BenchmarkEvents.At((int)(_recorded % 100_000_000)));
                await Task.Delay(5, cancellationToken);
            }
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
        }
    }

    private async Task TripAsync(BenchmarkNode node, PeerId peer, CancellationToken cancellationToken)
    {
        var payload = new byte[256];
        try
        {
            while (true)
            {
                long start = Stopwatch.GetTimestamp();
                await node.Mesh.RequestAsync(peer, "bench", payload, cancellationToken);
                double microseconds = Stopwatch.GetElapsedTime(start).TotalMicroseconds;
                lock (_mutex)
                    _trips.Add(microseconds);
                await Task.Delay(2, cancellationToken);
            }
        }
        catch (Exception e) when (e is OperationCanceledException or MeshException && cancellationToken.IsCancellationRequested)
        {
        }
    }

    private double TakeP99()
    {
        List<double> trips;
        lock (_mutex)
            (trips, _trips) = (_trips, []);
        if (trips.Count == 0)
            return 0;
        trips.Sort();
        return trips[(int)(trips.Count * 0.99)];
    }

    private static async Task DrainAsync(EventJournal journal, Task? load, Task? trips, CancellationToken cancellationToken)
    {
        long start = Stopwatch.GetTimestamp();
        while (true)
        {
            JournalStatus status = journal.Status;
            if (status.State == JournalState.Live && (load is not null || status.LastCommitted == status.LastRecorded))
                return;
            if (load is { IsCompleted: true })
                await load;
            if (trips is { IsCompleted: true })
                await trips;
            if (Stopwatch.GetElapsedTime(start) > DrainLimit)
                throw new MeshException(MeshError.StoreUnavailable, $"The spool has not drained within {DrainLimit.TotalMinutes} minutes: {status}");
            await Task.Delay(5, cancellationToken);
        }
    }

    private static async Task<long> CheckAsync(BenchmarkNode node, string connectionString, CancellationToken cancellationToken)
    {
        long recorded = node.Journal.LastNodeSeq;
        await using NpgsqlDataSource source = NpgsqlDataSource.Create(connectionString);
        await using NpgsqlCommand command = source.CreateCommand("select count(*), count(distinct id) from mesh.mt_events");
        await using NpgsqlDataReader reader = await command.ExecuteReaderAsync(cancellationToken);
        await reader.ReadAsync(cancellationToken);
        (long rows, long ids) = (reader.GetInt64(0), reader.GetInt64(1));
        // Something may be recorded by the node itself meanwhile.
        if (rows < recorded || rows > node.Journal.LastNodeSeq || ids != rows)
            throw new MeshException(MeshError.Unknown, $"{recorded} events were recorded; the log has {rows} rows with {ids} identities.");
        return rows;
    }

    private Task<PrivatePostgres> StartServerAsync(CancellationToken cancellationToken) => PrivatePostgres.StartAsync(
        _server, _folder, postgresBin: null, TimeProvider.System, NullLoggerFactory.Instance, cancellationToken);

    // The children first: the postmaster would otherwise see them go on for a moment.
    private async Task<int[]> StopServerAsync(CancellationToken cancellationToken)
    {
        int postmaster = _postgres!.ProcessId;
        int[] processes = [.. ChildrenOf(postmaster), postmaster];
        await SignalAsync("-STOP", processes, cancellationToken);
        return processes;
    }

    private static IEnumerable<int> ChildrenOf(int parent)
    {
        foreach (string folder in Directory.GetDirectories("/proc"))
        {
            if (!int.TryParse(Path.GetFileName(folder), CultureInfo.InvariantCulture, out int id))
                continue;
            string status;
            try
            {
                status = File.ReadAllText(Path.Combine(folder, "stat"));
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                continue;
            }
            // After the name in parentheses: state, parent.
            string[] fields = status[(status.LastIndexOf(')') + 2)..].Split(' ');
            if (fields[1] == parent.ToString(CultureInfo.InvariantCulture))
                yield return id;
        }
    }

    private static async Task SignalAsync(string signal, int[] processes, CancellationToken cancellationToken)
    {
        using Process kill = Process.Start("kill", [signal, .. processes.Select(id => id.ToString(CultureInfo.InvariantCulture))]);
        await kill.WaitForExitAsync(cancellationToken);
    }
}
