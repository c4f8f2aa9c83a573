using System.Net;
using System.Text.Json;
using EventMesh.Conformance;
using EventMesh.Events;
using EventMesh.Identity;
using EventMesh.Journal;
using EventMesh.Marten.Queries;
using EventMesh.Marten.Retention;
using EventMesh.Marten.Retention.Internal;
using EventMesh.Marten.Store;
using EventMesh.Marten.Store.Internal;
using EventMesh.Marten.Tests.Fixture;
using EventMesh.Node;
using EventMesh.Projections;
using EventMesh.Tests.Common;
using Microsoft.Extensions.Logging.Abstractions;
using Npgsql;
using Shouldly;
using Xunit;
using Options = Microsoft.Extensions.Options.Options;

namespace EventMesh.Marten.Tests.Retention;

/// <summary>A node's log over three months in a schema of its own, written by a journal, and what reads and archives it.</summary>
internal sealed class LogRun : IAsyncDisposable
{
    public static readonly DateTimeOffset January = new(2026, 1, 10, 0, 0, 0, TimeSpan.Zero);

    private readonly List<EventJournal> _journals = [];
    private readonly List<TempFolder> _folders = [];

    public required MartenEventStore Store { get; init; }

    public required string Schema { get; init; }

    public NodeId Node { get; private init; } = new(Guid.NewGuid());

    public ShiftedTime Time { get; } = new();

    public SegmentArchive Archive => new(Store.Session.Tables);

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public static async Task<LogRun> CreateAsync(PostgresFixture postgres)
    {
        var node = new NodeId(Guid.NewGuid());
        string schema = postgres.NewSchema();
        var store = new MartenEventStore(
            new MeshStoreOptions { ConnectionString = postgres.ConnectionString, Schema = schema }, EventRegistry.Default, TimeProvider.System, new TestLog());
        await store.OpenAsync(node, "", Cancellation);
        return new LogRun { Store = store, Schema = schema, Node = node };
    }

    /// <summary>A new process: nothing of an earlier one but the store.</summary>
    public async Task<EventJournal> OpenAsync()
    {
        var folder = new TempFolder();
        _folders.Add(folder);
        var journal = new EventJournal(Store, new EventSpool(), Time, Options.Create(new MeshOptions()), NullLogger<EventJournal>.Instance);
        _journals.Add(journal);
        await journal.OpenAsync(Node, folder.Path, _ => EventStoreSamples.Started(Node), Cancellation);
        return journal;
    }

    /// <summary>Three months, each with some blocks of connections and one of the cache; the journal is still open in the third.</summary>
    public async Task<EventJournal> WriteAsync(int perMonth = 2400)
    {
        Time.MoveTo(January);
        EventJournal journal = await OpenAsync();
        var random = new Random(7);
        for (int month = 0; month < 3; month++)
        {
            Time.MoveTo(January.AddMonths(month));
            for (int i = 0; i < perMonth; i += 8)
                journal.Decide(_ => [.. Enumerable.Range(0, 8).Select(_ => Any(random))]);
            RecordedEvent last = journal.Record(new PeerTrusted(EventStoreSamples.Peer(1), $"month {month}", "root"));
            await journal.WhenDurableAsync(last, Cancellation);
        }
        await CommittedAsync(journal);
        return journal;
    }

    /// <summary>Waits until the store and the projections have everything.</summary>
    public async Task CommittedAsync(EventJournal journal)
    {
        long start = TimeProvider.System.GetTimestamp();
        while ((await Store.GetPositionAsync(Node, Cancellation)).NodeSeq < journal.LastNodeSeq
            || (await Store.Queries.GetProjectionsAsync(Node, Cancellation)).Any(projection => projection.NodeSeq < journal.LastNodeSeq))
        {
            TimeProvider.System.GetElapsedTime(start).ShouldBeLessThan(TimeSpan.FromSeconds(60));
            await Task.Delay(10, Cancellation);
        }
    }

    public async Task<List<RecordedEvent>> ReadAsync(long after = 0, IReadOnlySet<StreamFamily>? families = null)
    {
        var log = new List<RecordedEvent>();
        await foreach (RecordedEvent recorded in Store.ReadAsync(Node, after, families, Cancellation))
            log.Add(recorded);
        return log;
    }

    /// <summary>Everything of the log as text.</summary>
    public async Task<string> TextAsync(long after = 0, IReadOnlySet<StreamFamily>? families = null) =>
        string.Join('\n', (await ReadAsync(after, families)).Select(recorded =>
            $"{recorded.NodeSeq} {recorded.Epoch} {recorded.Id} {recorded.Time:O} {recorded.TraceParent} {JsonSerializer.Serialize(recorded.Data, recorded.Data.GetType(), MeshJson.Options)}"));

    /// <summary>What the view shows, without the column that tells where an event is.</summary>
    public async Task<string> ViewAsync() => (string)(await ScalarAsync(
        $"select count(*) || md5(string_agg((to_jsonb(v) - 'is_archived')::text, ',' order by node_seq)) from {Schema}.event_log v where tenant_id = '{Node}'"))!;

    /// <summary>The rows of the projections.</summary>
    public async Task<string> ProjectionsAsync()
    {
        var all = new List<string>();
        foreach (string view in new[] { "bootstrap_cache_history", "peer_directory_history", "connection_history" })
            all.Add((string)(await ScalarAsync($"select count(*) || md5(string_agg(v::text, ',' order by v::text)) from {Schema}.{view} v"))!);
        return string.Join(' ', all);
    }

    public async Task RebuildAsync()
    {
        foreach (ProjectionStatus projection in await Store.Queries.GetProjectionsAsync(Node, Cancellation))
            await Store.Queries.RebuildAsync(projection.Name, Cancellation);
    }

    /// <summary>Moves blocks of all closed months; how many.</summary>
    public async Task<int> MoveAsync(int blocks = int.MaxValue)
    {
        await using NpgsqlConnection connection = await Store.Session.Source.OpenConnectionAsync(Cancellation);
        int moved = 0;
        while (moved < blocks && await Archive.MoveBlockAsync(connection, Time.GetUtcNow(), null, Cancellation))
            moved++;
        return moved;
    }

    /// <summary>Archives all closed months and drops those of connections that ended so long ago, with the events that tell it.</summary>
    public async Task<IReadOnlyList<SegmentInfo>> DropAsync(EventJournal journal, TimeSpan olderThan)
    {
        using var keeper = new SegmentKeeper(Store, Options.Create(new MeshRetentionOptions()), Time, new TestLog());
        await keeper.StartAsync(new FakeMesh(), journal, Cancellation);
        await keeper.ArchiveAsync(TimeSpan.Zero, Cancellation);
        await CommittedAsync(journal);
        IReadOnlyList<SegmentInfo> dropped = await keeper.DropAsync(olderThan, Cancellation);
        await CommittedAsync(journal);
        await keeper.StopAsync(Cancellation);
        return dropped;
    }

    public async Task<object?> ScalarAsync(string text)
    {
        await using NpgsqlConnection connection = await Store.Session.Source.OpenConnectionAsync(Cancellation);
        await using NpgsqlCommand command = Sql.Command(connection, text);
        command.CommandTimeout = 60;
        return await command.ExecuteScalarAsync(Cancellation);
    }

    public async ValueTask DisposeAsync()
    {
        foreach (EventJournal journal in _journals)
            await journal.DisposeAsync();
        await Store.DisposeAsync();
        foreach (TempFolder folder in _folders)
            folder.Dispose();
    }

    private static IMeshEvent Any(Random random)
    {
        PeerId peer = EventStoreSamples.Peer(random.Next(40));
        var bytes = new byte[16];
        bytes[0] = (byte)random.Next(60);
        var connection = new Guid(bytes);
        var endPoint = new IPEndPoint(IPAddress.Loopback, 1 + random.Next(60000));
        return random.Next(12) switch
        {
            0 or 1 or 2 => new ConnectionOpened(Guid.CreateVersion7(), peer, endPoint, ConnectionDirection.Inbound),
            3 => new ConnectionClosed(connection, peer, CloseReason.Lost, 1, 2, 3, 4, TimeSpan.FromSeconds(5)),
            4 or 5 => new PeerJoined(peer, Guid.NewGuid(), PeerKind.Node, [endPoint], "test/1 \0 ü"),
            6 => new PeerUpdated(peer, PeerKind.Client, []),
            7 => new PeerLeft(peer, CloseReason.Idle),
            8 => new CacheEntryAdded(peer, [endPoint], [1, 2, 3], ConnectionDirection.Outbound),
            9 => new CacheEntryEvicted(peer, EvictionReason.Capacity),
            10 => new DialFailed(endPoint, peer, MeshError.Unreachable, "nobody"),
            _ => new PluginUnloaded("x"),
        };
    }
}
