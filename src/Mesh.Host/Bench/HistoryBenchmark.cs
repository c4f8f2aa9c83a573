using System.Diagnostics;
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

/// <summary>Measures queries and the start over a long history, in a private PostgreSQL of this run's own.</summary>
internal sealed class HistoryBenchmark
{
    private const int Queries = 300;
    private const int Starts = 5;

    private readonly long _events;
    private readonly TextWriter _progress;
    private readonly NodeId _node = new(Guid.NewGuid());
    private readonly string _folder = Directory.CreateTempSubdirectory("eventmesh-history-").FullName;
    private readonly DateTimeOffset _end = TimeProvider.System.GetUtcNow();
    private readonly DateTimeOffset _start;

    private HistoryBenchmark(long events, int months, TextWriter progress)
    {
        _events = events;
        _progress = progress;
        _start = _end.AddMonths(-months);
    }

    /// <summary>Does all measurements once.</summary>
    public static async Task<HistoryBenchmarkResult> RunAsync(long events, int months, TextWriter progress, CancellationToken cancellationToken)
    {
        var benchmark = new HistoryBenchmark(events, months, progress);
        try
        {
            PrivatePostgres server = await PrivatePostgres.StartAsync(
                benchmark._node, benchmark._folder, postgresBin: null, TimeProvider.System, NullLoggerFactory.Instance, cancellationToken);
            await using (server)
                return await benchmark.MeasureAsync(server, cancellationToken);
        }
        finally
        {
            await PrivatePostgres.RemoveAsync(benchmark._node, benchmark._folder, CancellationToken.None);
            Directory.Delete(benchmark._folder, recursive: true);
        }
    }

    private async Task<HistoryBenchmarkResult> MeasureAsync(PrivatePostgres server, CancellationToken cancellationToken)
    {
        await using NpgsqlDataSource source = NpgsqlDataSource.Create(server.ConnectionString);
        // Makes the schema.
        await using (MartenEventStore store = await OpenStoreAsync(server, cancellationToken))
            await store.GetPositionAsync(_node, cancellationToken);
        await _progress.WriteLineAsync($"Writing {_events} events.");
        var generator = new HistoryGenerator(source, _node, _events, _start, _end);
        long began = Stopwatch.GetTimestamp();
        await generator.WriteAsync(cancellationToken);
        double generated = _events / Stopwatch.GetElapsedTime(began).TotalSeconds;

        await _progress.WriteLineAsync("Letting the projections follow.");
        double projected;
        await using (MartenEventStore store = await OpenStoreAsync(server, cancellationToken))
            projected = await FollowAsync(store, cancellationToken);
        await ScalarAsync<object>(source, "select 1", cancellationToken);
        await ExecuteAsync(source, "vacuum analyze", cancellationToken);

        await _progress.WriteLineAsync("Starting.");
        double first = await StartAsync(server, cancellationToken);
        double[] starts = new double[Starts];
        for (int i = 0; i < Starts; i++)
            starts[i] = await StartAsync(server, cancellationToken);
        Array.Sort(starts);

        await _progress.WriteLineAsync("Asking.");
        await using MartenEventStore asked = await OpenStoreAsync(server, cancellationToken);
        List<HistoryQueryResult> queries =
        [
            await AskAsync("cache as of a time", (at, _) => asked.Queries.GetCacheAsync(_node, at, cancellationToken)),
            await AskAsync("peers as of a time", (at, _) => asked.Queries.GetPeersAsync(_node, at, cancellationToken)),
            await AskAsync("connections open at a time", (at, _) => asked.Queries.GetConnectionsAsync(_node, new ConnectionFilter { OpenAt = at }, cancellationToken)),
            await AskAsync("page of connections", (_, seq) => asked.Queries.GetConnectionsAsync(_node, new ConnectionFilter { Before = seq }, cancellationToken)),
            await AskAsync(
                "page of a peer's connections",
                (_, seq) => asked.Queries.GetConnectionsAsync(_node, new ConnectionFilter { Peer = PeerAt(seq), Before = seq }, cancellationToken)),
            await AskAsync("trust as of a time", (at, _) => asked.Queries.GetTrustAsync(_node, at, cancellationToken)),
            await AskAsync("topology as of a time", (at, _) => asked.Queries.GetTopologyAsync(_node, at, cancellationToken)),
            await AskAsync("difference between two times a month apart", (at, _) => asked.Queries.GetDifferenceAsync(_node, at, at.AddMonths(1), cancellationToken)),
            await AskAsync("page of changes from a time", (at, _) => asked.Queries.GetChangesAsync(_node, new ChangeFilter { From = at }, cancellationToken)),
            await AskAsync(
                "page of a peer's timeline",
                (at, seq) => asked.Queries.GetTimelineAsync(_node, PeerAt(seq), new TimelineFilter { From = at }, cancellationToken)),
            await AskAsync("page of 1,000 events of the log", (_, seq) => ReadPageAsync(asked, seq, cancellationToken)),
        ];
        return new(
            _events, generator.Archived,
            await SizeAsync(source, "like 'log_block%'", Math.Max(1, generator.Archived), cancellationToken),
            await SizeAsync(source, "= 'mt_events'", Math.Max(1, _events - generator.Archived), cancellationToken),
            await SizeAsync(source, "~ '^(bootstrap_cache|peer_directory|connection_history)_[0-9]'", _events, cancellationToken),
            Math.Round(generated), Math.Round(projected), first, starts[Starts / 2], queries);
    }

    private static PeerId PeerAt(long seq) => BenchmarkEvents.At((int)((seq - 1) / 8 * 8)) is ConnectionOpened opened ? opened.Peer : default;

    private static async Task<int> ReadPageAsync(MartenEventStore store, NodeId node, long after, CancellationToken cancellationToken)
    {
        int count = 0;
        await foreach (RecordedEvent _ in store.ReadAsync(node, after, families: null, cancellationToken))
        {
            if (++count == 1000)
                break;
        }
        return count;
    }

    private Task<int> ReadPageAsync(MartenEventStore store, long after, CancellationToken cancellationToken) => ReadPageAsync(store, _node, after, cancellationToken);

    private async Task<HistoryQueryResult> AskAsync<T>(string name, Func<DateTimeOffset, long, Task<T>> ask)
    {
        var random = new Random(1);
        var times = new double[Queries];
        for (int i = -10; i < Queries; i++)
        {
            DateTimeOffset at = _start + ((_end - _start) * random.NextDouble());
            long seq = random.NextInt64(1, _events);
            long began = Stopwatch.GetTimestamp();
            await ask(at, seq);
            if (i >= 0)
                times[i] = Stopwatch.GetElapsedTime(began).TotalMilliseconds;
        }
        Array.Sort(times);
        return new(name, Math.Round(times[Queries / 2], 1), Math.Round(times[Queries * 99 / 100], 1));
    }

    private static async Task<MartenEventStore> OpenStoreAsync(PrivatePostgres server, NodeId node, string folder, CancellationToken cancellationToken)
    {
        var store = new MartenEventStore(
            Options.Create(new MeshStoreOptions { ConnectionString = server.ConnectionString }), TimeProvider.System, NullLoggerFactory.Instance);
        await store.OpenAsync(node, folder, cancellationToken);
        return store;
    }

    private Task<MartenEventStore> OpenStoreAsync(PrivatePostgres server, CancellationToken cancellationToken) =>
        OpenStoreAsync(server, _node, _folder, cancellationToken);

    private async Task<double> StartAsync(PrivatePostgres server, CancellationToken cancellationToken)
    {
        long began = Stopwatch.GetTimestamp();
        await using MartenEventStore store = await OpenStoreAsync(server, cancellationToken);
        await using var journal = new EventJournal(
            store, new EventSpool(), TimeProvider.System, Options.Create(new MeshOptions()), NullLogger<EventJournal>.Instance);
        await journal.OpenAsync(
            _node, _folder, _ => new NodeStarted(_node, default, Guid.NewGuid(), PeerKind.Node, "bench", "none"), cancellationToken);
        double elapsed = Stopwatch.GetElapsedTime(began).TotalMilliseconds;
        await journal.StopAsync("done", cancellationToken);
        return Math.Round(elapsed, 1);
    }

    private async Task<double> FollowAsync(MartenEventStore store, CancellationToken cancellationToken)
    {
        long began = Stopwatch.GetTimestamp();
        while (true)
        {
            IReadOnlyList<ProjectionStatus> all = await store.Queries.GetProjectionsAsync(_node, cancellationToken);
            if (all.All(projection => projection.NodeSeq >= projection.LogSeq))
                return _events / Stopwatch.GetElapsedTime(began).TotalSeconds;
            await Task.Delay(TimeSpan.FromSeconds(_events > 100_000 ? 5 : 0.2), cancellationToken);
        }
    }

#pragma warning disable CA2100 // The texts are those above.
    private static Task<double> SizeAsync(NpgsqlDataSource source, string names, long events, CancellationToken cancellationToken) => ScalarAsync<double>(
        source,
        $"select coalesce(sum(pg_total_relation_size(oid)), 0)::float8 / {events} from pg_class where relnamespace = 'mesh'::regnamespace and relkind = 'r' and relname {names}",
        cancellationToken);

    private static async Task<T> ScalarAsync<T>(NpgsqlDataSource source, string text, CancellationToken cancellationToken)
    {
        await using NpgsqlCommand command = source.CreateCommand(text);
        command.CommandTimeout = 3600;
        return (T)(await command.ExecuteScalarAsync(cancellationToken))!;
    }

    private static async Task ExecuteAsync(NpgsqlDataSource source, string text, CancellationToken cancellationToken)
    {
        await using NpgsqlCommand command = source.CreateCommand(text);
        command.CommandTimeout = 3600;
        await command.ExecuteNonQueryAsync(cancellationToken);
    }
#pragma warning restore CA2100
}
