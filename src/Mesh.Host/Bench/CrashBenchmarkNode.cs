using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using EventMesh.Events;
using EventMesh.Identity;
using EventMesh.Journal;
using EventMesh.Marten;
using EventMesh.Marten.Embedded;
using EventMesh.Marten.Queries;
using EventMesh.Marten.Store;
using EventMesh.Node;
using EventMesh.Projections;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;
using Npgsql;

namespace EventMesh.Host.Bench;

/// <summary>
/// The process that <see cref="CrashBenchmark"/> kills: a journal over a private PostgreSQL under load. It tells on standard output what the log has
/// (<c>l</c>), what it records (<c>r</c>) and what is durable (<c>d</c>), a line each; a line without its dot at the end was cut by the kill.
/// </summary>
internal sealed class CrashBenchmarkNode(string folder, string life, TextWriter output)
{
    private const int EventsPerLife = 8 * 100_000;
    private const int BurstDelayMilliseconds = 10;

    private static readonly TimeSpan SettleLimit = TimeSpan.FromMinutes(2);

    private readonly Lock _mutex = new();

    /// <summary>Runs until it is killed, or its parent has gone.</summary>
    public async Task RunAsync(TextReader input, CancellationToken cancellationToken)
    {
        string[] words = life.Split(',');
        int number = int.Parse(words[0], CultureInfo.InvariantCulture);
        long after = long.Parse(words[1], CultureInfo.InvariantCulture);
        bool isFull = words[2] == "1";
        NodeId node = NodeId.Parse(words[3]);
        // Without the parent there is nobody to tell.
        using var orphaned = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        Task parent = Task.Run(
            async () =>
            {
                while (await input.ReadLineAsync(CancellationToken.None) is not null)
                {
                }
                await orphaned.CancelAsync();
            },
            CancellationToken.None);
        try
        {
            PrivatePostgres server = await PrivatePostgres.StartAsync(node, folder, postgresBin: null, TimeProvider.System, NullLoggerFactory.Instance, orphaned.Token);
            await using (server)
            {
                MartenEventStore store = new(
                    Options.Create(new MeshStoreOptions { ConnectionString = server.ConnectionString }), TimeProvider.System, NullLoggerFactory.Instance);
                await using (store)
                {
                    await store.OpenAsync(node, folder, orphaned.Token);
                    EventJournal journal = new(
                        store, new EventSpool(), TimeProvider.System, Options.Create(new MeshOptions()), NullLogger<EventJournal>.Instance);
                    await using (journal)
                    {
                        await journal.OpenAsync(
                            node, folder, _ => new NodeStarted(node, default, Guid.NewGuid(), PeerKind.Node, "bench", "none"), orphaned.Token);
                        await CheckAsync(journal, store, node, server.ConnectionString, after, isFull, orphaned.Token);
                        Tell("ready .");
                        await LoadAsync(journal, number, orphaned.Token);
                    }
                }
            }
        }
        catch (Exception e) when (e is MeshException or NpgsqlException)
        {
            Tell($"finding {e.Message.ReplaceLineEndings(" ")}");
            throw;
        }
        catch (OperationCanceledException) when (orphaned.IsCancellationRequested)
        {
        }
        _ = parent;
    }

    private async Task CheckAsync(
        EventJournal journal, MartenEventStore store, NodeId node, string connectionString, long after, bool isFull, CancellationToken cancellationToken)
    {
        await SettleAsync(journal, store, node, cancellationToken);
        await foreach (RecordedEvent recorded in store.ReadAsync(node, after, families: null, cancellationToken))
        {
            bool isEnd = recorded.Data is ConnectionClosed { Reason: CloseReason.Crash } or PeerLeft { Reason: CloseReason.Crash };
            Tell(string.Create(CultureInfo.InvariantCulture, $"l {recorded.NodeSeq} {recorded.Id} {(isEnd ? 1 : 0)} ."));
        }
        await using NpgsqlDataSource source = NpgsqlDataSource.Create(connectionString);
        await CompareViewsAsync(source, journal.State, node, cancellationToken);
        if (!isFull)
            return;
        MeshState folded = MeshState.Empty;
        await foreach (RecordedEvent recorded in store.ReadAsync(node, 0, families: null, cancellationToken))
            folded = MeshState.Apply(folded, recorded);
        if (Describe(folded) != Describe(journal.State))
            throw Deviation("The state in memory is not the fold of the log.");
        foreach (ProjectionStatus projection in await store.Queries.GetProjectionsAsync(node, cancellationToken))
        {
            string live = await DumpAsync(source, projection.Name, cancellationToken);
            await store.Queries.RebuildAsync(projection.Name, cancellationToken);
            if (await DumpAsync(source, projection.Name, cancellationToken) != live)
                throw Deviation($"The projection {projection.Name} has other content after its rebuild.");
        }
        await CompareViewsAsync(source, journal.State, node, cancellationToken);
    }

    /// <summary>Waits until everything recorded is committed, and the projections have it.</summary>
    private static async Task SettleAsync(EventJournal journal, MartenEventStore store, NodeId node, CancellationToken cancellationToken)
    {
        long start = Stopwatch.GetTimestamp();
        while (true)
        {
            JournalStatus status = journal.Status;
            if (status.LastCommitted == status.LastRecorded
                && (await store.Queries.GetProjectionsAsync(node, cancellationToken)).All(projection => projection.Lag == 0))
            {
                return;
            }
            if (Stopwatch.GetElapsedTime(start) > SettleLimit)
                throw Deviation($"The projections have not followed the log within {SettleLimit.TotalMinutes} minutes.");
            await Task.Delay(10, cancellationToken);
        }
    }

    private static async Task CompareViewsAsync(NpgsqlDataSource source, MeshState state, NodeId node, CancellationToken cancellationToken)
    {
        await CompareAsync("peer_directory", "peer::text from mesh.peer_directory where node_id = $1", state.Peers.Joined.Keys.Select(peer => peer.ToString()));
        await CompareAsync("bootstrap_cache", "peer::text from mesh.bootstrap_cache where node_id = $1", state.Cache.Entries.Keys.Select(peer => peer.ToString()));
        await CompareAsync(
            "connection_history", "connection::text from mesh.connection_history where node_id = $1 and closed_at is null",
            state.Connections.Open.Keys.Select(connection => connection.ToString()));

        async Task CompareAsync(string name, string what, IEnumerable<string> expected)
        {
#pragma warning disable CA2100 // The text is ours.
            await using NpgsqlCommand command = source.CreateCommand($"select {what}");
#pragma warning restore CA2100
            command.Parameters.Add(new NpgsqlParameter<Guid> { TypedValue = node.Value });
            var found = new HashSet<string>(StringComparer.Ordinal);
            await using NpgsqlDataReader reader = await command.ExecuteReaderAsync(cancellationToken);
            while (await reader.ReadAsync(cancellationToken))
                found.Add(reader.GetString(0));
            if (!found.SetEquals(expected))
                throw Deviation($"The view {name} does not say what the state says.");
        }
    }

    /// <summary>All that the views of a projection say, as one number.</summary>
    private static async Task<string> DumpAsync(NpgsqlDataSource source, string projection, CancellationToken cancellationToken)
    {
        List<string> views = [];
        await using (NpgsqlCommand names = source.CreateCommand(
            "select table_name::text from information_schema.views where table_schema = 'mesh' and table_name like $1 || '%' order by 1"))
        {
            names.Parameters.Add(new NpgsqlParameter<string> { TypedValue = projection });
            await using NpgsqlDataReader reader = await names.ExecuteReaderAsync(cancellationToken);
            while (await reader.ReadAsync(cancellationToken))
                views.Add(reader.GetString(0));
        }
        List<string> dump = [];
        foreach (string view in views)
        {
#pragma warning disable CA2100 // A name that the server gave.
            await using NpgsqlCommand command = source.CreateCommand(
                $"select count(*) || ' ' || coalesce(md5(string_agg(t::text, chr(10) order by t::text)), '') from mesh.\"{view}\" t");
#pragma warning restore CA2100
            dump.Add($"{view} {await command.ExecuteScalarAsync(cancellationToken)}");
        }
        return string.Join('\n', dump);
    }

    private async Task LoadAsync(EventJournal journal, int number, CancellationToken cancellationToken)
    {
        int next = number * EventsPerLife;
        List<Task> waiting = [];
        while (true)
        {
            // Some 2,000 a second, as many at once as comes.
            int burst = Random.Shared.Next(1, 40);
            RecordedEvent? last = null;
            for (int i = 0; i < burst; i++)
            {
                IReadOnlyList<RecordedEvent> recorded = next % 50 == 0 ? journal.Decide(DecideTwo) : [journal.Record(BenchmarkEvents.At(next))];
                next++;
                foreach (RecordedEvent one in recorded)
                {
                    Tell(string.Create(CultureInfo.InvariantCulture, $"r {one.NodeSeq} {one.Id} {Stopwatch.GetTimestamp()} ."));
                    last = one;
                }
            }
            waiting.RemoveAll(task => task.IsCompletedSuccessfully);
            waiting.Add(TellDurableAsync(journal, last!, cancellationToken));
            if (waiting.Find(task => task.IsFaulted) is { } failed)
                await failed;
            await Task.Delay(BurstDelayMilliseconds, cancellationToken);
        }
    }

    private async Task TellDurableAsync(EventJournal journal, RecordedEvent last, CancellationToken cancellationToken)
    {
        await journal.WhenDurableAsync(last, cancellationToken);
        Tell(string.Create(CultureInfo.InvariantCulture, $"d {last.NodeSeq} ."));
    }

    private static IEnumerable<IMeshEvent> DecideTwo(MeshState state)
    {
        PeerId peer = state.Peers.Joined.Keys.FirstOrDefault();
        yield return new PeerBlocked(peer, "bench", null, "bench");
        yield return new Unblocked(peer, null, "bench", "bench");
    }

    private void Tell(string line)
    {
        lock (_mutex)
        {
            output.WriteLine(line);
            output.Flush();
        }
    }

    // Sets and dictionaries come in no order.
    private static string Describe(MeshState state)
    {
        using JsonDocument document = JsonSerializer.SerializeToDocument(state, MeshJson.Options);
        return Describe(document.RootElement);
    }

    private static string Describe(JsonElement element) => element.ValueKind switch
    {
        JsonValueKind.Object => "{" + string.Join(',', element.EnumerateObject().Select(member => $"{member.Name}:{Describe(member.Value)}").Order(StringComparer.Ordinal)) + "}",
        JsonValueKind.Array => "[" + string.Join(',', element.EnumerateArray().Select(Describe).Order(StringComparer.Ordinal)) + "]",
        _ => element.GetRawText(),
    };

    private static MeshException Deviation(string what) => new(MeshError.Unknown, what);
}
