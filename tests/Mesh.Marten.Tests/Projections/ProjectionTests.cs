using System.Net;
using EventMesh.Conformance;
using EventMesh.Events;
using EventMesh.Identity;
using EventMesh.Journal;
using EventMesh.Marten.Queries;
using EventMesh.Marten.Store;
using EventMesh.Marten.Tests.Fixture;
using EventMesh.Projections;
using Npgsql;
using Shouldly;
using Xunit;

namespace EventMesh.Marten.Tests.Projections;

/// <summary>The stored projections say what the pure folds say: now, at any earlier time, and after a rebuild.</summary>
public sealed class ProjectionTests(PostgresFixture postgres, ProjectionTests.ClassSchema schema) : IAsyncLifetime, IClassFixture<ProjectionTests.ClassSchema>
{
    private readonly NodeId _node = new(Guid.NewGuid());
    private MartenEventStore _store = null!;
    private long _next = 1;

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        schema.Name ??= postgres.NewSchema();
        _store = await postgres.OpenStoreAsync(schema.Name);
    }

    public ValueTask DisposeAsync() => _store.DisposeAsync();

    [Fact]
    public async Task What_is_stored_is_what_the_fold_says_live_at_each_time_and_rebuilt()
    {
        List<RecordedEvent> log = await AppendHistoryAsync(_node, seed: 1);
        await WaitAsync(_node);
        List<MeshState> states = Fold(log);

        await ShouldShowAsync(states[^1], at: null);
        for (int i = 0; i < log.Count; i += 7)
            await ShouldShowAsync(states[i], log[i].Time);

        foreach (ProjectionStatus projection in await _store.Queries.GetProjectionsAsync(_node, Cancellation))
            await _store.Queries.RebuildAsync(projection.Name, Cancellation);

        await ShouldShowAsync(states[^1], at: null);
        for (int i = 0; i < log.Count; i += 11)
            await ShouldShowAsync(states[i], log[i].Time);
    }

    [Fact]
    public async Task A_rebuild_makes_the_same_rows()
    {
        await AppendHistoryAsync(_node, seed: 2);
        await WaitAsync(_node);
        foreach (string view in new[] { "bootstrap_cache_history", "peer_directory_history", "connection_history" })
        {
            string before = await DigestAsync(view);
            before.ShouldNotStartWith("0 ");

            await _store.Queries.RebuildAsync(view.Replace("_history", "", StringComparison.Ordinal) is "connection" ? view : view[..^"_history".Length], Cancellation);

            (await DigestAsync(view)).ShouldBe(before);
        }
    }

    [Fact]
    public async Task A_rebuild_while_the_log_grows_misses_nothing_and_readers_are_never_left_without_rows()
    {
        List<RecordedEvent> log = await AppendHistoryAsync(_node, seed: 3);
        await WaitAsync(_node);
        using var stop = new CancellationTokenSource();
        Task<int> fewest = Task.Run(async () =>
        {
            int least = int.MaxValue;
            while (!stop.IsCancellationRequested)
                least = Math.Min(least, (await _store.Queries.GetConnectionsAsync(_node, new ConnectionFilter { Limit = 1 }, Cancellation)).Count);
            return least;
        });
        Task<List<RecordedEvent>> writer = Task.Run(() => AppendHistoryAsync(_node, seed: 4, claim: false));
        while (!writer.IsCompleted)
        {
            await _store.Queries.RebuildAsync("bootstrap_cache", Cancellation);
            await _store.Queries.RebuildAsync("connection_history", Cancellation);
        }
        log.AddRange(await writer);
        await stop.CancelAsync();
        await WaitAsync(_node);

        (await fewest).ShouldBe(1);
        await ShouldShowAsync(Fold(log)[^1], at: null);
    }

    [Fact]
    public async Task Order_across_families_counts()
    {
        // In one transaction Marten's sequence puts the cache's events before the peers', whatever their places are.
        PeerId peer = EventStoreSamples.Peer(1);
        var failed = new DialFailed(new IPEndPoint(IPAddress.Loopback, 1), peer, MeshError.Unreachable, "x");
        await AppendAsync(
            _node, true, new CacheEntryAdded(peer, [], [], ConnectionDirection.Inbound), failed, failed, new CacheEntryRefreshed(peer, [], []), failed);
        await WaitAsync(_node);

        BootstrapCacheEntry entry = (await _store.Queries.GetCacheAsync(_node, null, Cancellation)).ShouldHaveSingleItem();

        entry.Failures.ShouldBe(1);
    }

    [Fact]
    public async Task Connections_come_in_pages_and_as_of_a_time()
    {
        await AppendAsync(_node, true);
        Guid[] ids = [.. Enumerable.Range(0, 25).Select(_ => Guid.NewGuid())];
        List<RecordedEvent> log = [];
        foreach (Guid id in ids)
            log.AddRange(await AppendAsync(
                _node, false, new ConnectionOpened(id, EventStoreSamples.Peer(id == ids[3] ? 9 : 1), new IPEndPoint(IPAddress.IPv6Loopback, 7), ConnectionDirection.Outbound)));
        log.AddRange(await AppendAsync(_node, false, new ConnectionClosed(ids[0], EventStoreSamples.Peer(1), CloseReason.Lost, 1, 2, 3, 4, TimeSpan.FromSeconds(5))));
        await WaitAsync(_node);

        var pages = new List<ConnectionRecord>();
        IReadOnlyList<ConnectionRecord> page;
        do
        {
            page = await _store.Queries.GetConnectionsAsync(
                _node, new ConnectionFilter { Limit = 10, Before = pages.Count == 0 ? null : pages[^1].OpenedSeq }, Cancellation);
            pages.AddRange(page);
        }
        while (page.Count == 10);

        pages.Select(connection => connection.Connection).ShouldBe(ids.Reverse());
        pages[^1].Closed.ShouldBe(new ConnectionEnd(log[^1].Time, CloseReason.Lost, 1, 2, 3, 4));
        pages[0].Closed.ShouldBeNull();
        pages[0].Remote.ShouldBe(new IPEndPoint(IPAddress.IPv6Loopback, 7));
        (await _store.Queries.GetConnectionsAsync(_node, new ConnectionFilter { OpenAt = log[^1].Time }, Cancellation)).Count.ShouldBe(24);
        (await _store.Queries.GetConnectionsAsync(_node, new ConnectionFilter { OpenAt = log[4].Time }, Cancellation)).Count.ShouldBe(5);
        (await _store.Queries.GetConnectionsAsync(_node, new ConnectionFilter { Peer = EventStoreSamples.Peer(9) }, Cancellation))
            .ShouldHaveSingleItem().Connection.ShouldBe(ids[3]);
    }

    [Fact]
    public async Task Nodes_that_share_a_database_share_the_views()
    {
        var other = new NodeId(Guid.NewGuid());
        PeerId peer = EventStoreSamples.Peer(1);
        await AppendAsync(_node, true, new PeerJoined(peer, Guid.NewGuid(), PeerKind.Node, [], "one"));
        _next = 1;
        await AppendAsync(other, true, new PeerJoined(peer, Guid.NewGuid(), PeerKind.Node, [], "two"));
        await WaitAsync(_node);
        await WaitAsync(other);

        (await _store.Queries.GetPeersAsync(_node, null, Cancellation)).ShouldHaveSingleItem().Agent.ShouldBe("one");
        (await _store.Queries.GetPeersAsync(other, null, Cancellation)).ShouldHaveSingleItem().Agent.ShouldBe("two");
        (await ScalarAsync($"select count(*) from {schema.Name}.peer_directory where node_id in ('{_node}', '{other}')")).ShouldBe(2L);
    }

    [Fact]
    public async Task A_projection_tells_how_far_it_has_come()
    {
        await AppendHistoryAsync(_node, seed: 5);
        await WaitAsync(_node);

        IReadOnlyList<ProjectionStatus> all = await _store.Queries.GetProjectionsAsync(_node, Cancellation);

        all.Select(projection => projection.Name).ShouldBe(
            ["bootstrap_cache", "peer_directory", "connection_history", "trust_ledger", "node_status", "mesh_topology"], ignoreOrder: true);
        all.ShouldAllBe(projection => projection.Lag == 0 && projection.LogSeq == _next - 1 && projection.NodeSeq > 0);
        await Should.ThrowAsync<ArgumentException>(() => _store.Queries.RebuildAsync("nothing", Cancellation));
    }

    [Fact]
    public async Task A_second_store_takes_the_projections_over_when_the_first_ends()
    {
        await using MartenEventStore second = await postgres.OpenStoreAsync(schema.Name!);
        await AppendAsync(_node, true, new PeerJoined(EventStoreSamples.Peer(1), Guid.NewGuid(), PeerKind.Node, [], "one"));
        await WaitAsync(_node);
        MartenEventStore first = _store;
        _store = second;
        await first.DisposeAsync();

        await AppendAsync(_node, false, new PeerJoined(EventStoreSamples.Peer(2), Guid.NewGuid(), PeerKind.Node, [], "two"));
        await WaitAsync(_node);

        (await second.Queries.GetPeersAsync(_node, null, Cancellation)).Count.ShouldBe(2);
    }

    [Fact]
    public async Task An_event_that_cannot_be_read_stops_its_projection_and_nothing_else()
    {
        await AppendAsync(_node, true, new PeerJoined(EventStoreSamples.Peer(1), Guid.NewGuid(), PeerKind.Node, [], "one"));
        await WaitAsync(_node);
        RecordedEvent broken = EventStoreSamples.Record(1, _next, new PeerLeft(EventStoreSamples.Peer(1), CloseReason.Idle))[0];
        // In one transaction with its appearance, so that nobody reads it whole.
        await ScalarAsync($"create function {schema.Name}.spoil() returns trigger language plpgsql as 'begin new.data = ''7''; return new; end'; select 1");
        await ScalarAsync(
            $"create trigger spoil before insert on {schema.Name}.mt_events for each row when (new.id = '{broken.Id}') execute function {schema.Name}.spoil(); select 1");
        await _store.AppendAsync(_node, [broken], Cancellation);
        _next++;
        PeerId peer = EventStoreSamples.Peer(2);
        await AppendAsync(_node, false, new CacheEntryAdded(peer, [], [1], ConnectionDirection.Inbound));
        var other = new NodeId(Guid.NewGuid());
        (long next, _next) = (_next, 1);
        await AppendAsync(other, true, new PeerJoined(peer, Guid.NewGuid(), PeerKind.Node, [], "two"));

        await WaitAsync(other);
        await WaitAsync(_node, "peer_directory", "mesh_topology");
        (await _store.Queries.GetCacheAsync(_node, null, Cancellation)).Count.ShouldBe(1);
        (await _store.Queries.GetPeersAsync(_node, null, Cancellation)).Count.ShouldBe(1, "it has not gone past what it could not read");
        (await _store.Queries.GetProjectionsAsync(_node, Cancellation)).Single(projection => projection.Name == "peer_directory").Lag.ShouldBe(1);

        string whole = System.Text.Encoding.UTF8.GetString(MeshJson.Serialize(broken.Data));
        await ScalarAsync($"update {schema.Name}.mt_events set data = '{whole}' where id = '{broken.Id}' returning 1");
        await WaitAsync(_node);
        (await _store.Queries.GetPeersAsync(_node, null, Cancellation)).ShouldBeEmpty();
        _next = next;
    }

    private async Task ShouldShowAsync(MeshState state, DateTimeOffset? at)
    {
        IReadOnlyList<BootstrapCacheEntry> cache = await _store.Queries.GetCacheAsync(_node, at, Cancellation);
        cache.Select(Text).ShouldBe(state.Cache.NewestFirst().Select(Text));
        IReadOnlyList<JoinedPeer> peers = await _store.Queries.GetPeersAsync(_node, at, Cancellation);
        peers.Select(Text).ShouldBe(state.Peers.Joined.Values.OrderBy(peer => peer.Peer).Select(Text));
        // A connection that is open now has no end; as of a time an end may have come later.
        IReadOnlyList<ConnectionRecord> open = await _store.Queries.GetConnectionsAsync(
            _node, new ConnectionFilter { OpenAt = at ?? DateTimeOffset.MaxValue, Limit = 1000 }, Cancellation);
        open.Select(row => $"{row.Connection} {row.Peer} {row.Remote} {row.Direction} {row.OpenedAt:O}").Order(StringComparer.Ordinal)
            .ShouldBe(state.Connections.Open.Values.Select(row => $"{row.Connection} {row.Peer} {row.Remote} {row.Direction} {row.OpenedAt:O}").Order(StringComparer.Ordinal));
    }

    private static string Text(BootstrapCacheEntry entry) =>
        $"{entry.Peer} {string.Join(",", entry.Endpoints)} {Convert.ToHexString(entry.Certificate)} {entry.Origin} {entry.AddedAt:O} {entry.LastConnectedAt:O} {entry.IsConfirmed} {entry.Failures} {entry.LastFailedAt:O}";

    private static string Text(JoinedPeer peer) =>
        $"{peer.Peer} {peer.Instance} {peer.Kind} {string.Join(",", peer.Endpoints)} {peer.Agent} {peer.JoinedAt:O}";

    private static List<MeshState> Fold(IEnumerable<RecordedEvent> log)
    {
        var states = new List<MeshState>();
        foreach (RecordedEvent recorded in log)
            states.Add(MeshState.Apply(states.Count == 0 ? MeshState.Empty : states[^1], recorded));
        return states;
    }

    /// <summary>2,000 events about 30 peers, in batches of all sizes, so that pages and batches never fit.</summary>
    private async Task<List<RecordedEvent>> AppendHistoryAsync(NodeId node, int seed, bool claim = true)
    {
        var random = new Random(seed);
        var open = new List<(Guid Id, PeerId Peer)>();
        var log = new List<RecordedEvent>();
        int left = 2000;
        while (left > 0)
        {
            int size = Math.Min(left, random.Next(1, 300));
            left -= size;
            IMeshEvent[] events = [.. Enumerable.Range(0, size).Select(_ => RandomEvent(random, open))];
            log.AddRange(await AppendAsync(node, claim, events));
            claim = false;
        }
        return log;
    }

    private static IMeshEvent RandomEvent(Random random, List<(Guid Id, PeerId Peer)> open)
    {
        PeerId peer = EventStoreSamples.Peer(random.Next(30));
        IPEndPoint[] endpoints = [.. Enumerable.Range(0, random.Next(3)).Select(_ => new IPEndPoint(random.Next(), random.Next(65536)))];
        byte[] certificate = new byte[random.Next(5)];
        random.NextBytes(certificate);
        switch (random.Next(10))
        {
            case 0: return new CacheEntryAdded(peer, endpoints, certificate, (ConnectionDirection)random.Next(2));
            case 1: return new CacheEntryRefreshed(peer, endpoints, certificate);
            case 2: return new CacheEntryConfirmed(peer, null);
            case 3: return new CacheEntryEvicted(peer, EvictionReason.Failures);
            case 4: return new DialFailed(new IPEndPoint(1, 1), random.Next(3) == 0 ? null : peer, MeshError.Timeout, "x");
            case 5: return new PeerJoined(peer, Guid.NewGuid(), (PeerKind)random.Next(2), endpoints, $"agent/{random.Next()}");
            case 6: return new PeerUpdated(peer, PeerKind.Node, endpoints);
            case 7: return new PeerLeft(peer, CloseReason.Idle);
            case 8 when open.Count > 0:
                (Guid id, PeerId closed) = open[random.Next(open.Count)];
                open.RemoveAll(connection => connection.Id == id);
                return new ConnectionClosed(id, closed, CloseReason.Remote, random.Next(), 2, 3, 4, TimeSpan.FromSeconds(1));
            default:
                open.Add((Guid.NewGuid(), peer));
                return new ConnectionOpened(open[^1].Id, peer, new IPEndPoint(IPAddress.Loopback, random.Next(65536)), ConnectionDirection.Inbound);
        }
    }

    private async Task<RecordedEvent[]> AppendAsync(NodeId node, bool claim, params IMeshEvent[] events)
    {
        RecordedEvent[] started = [];
        if (claim)
        {
            started = EventStoreSamples.Record(1, _next, EventStoreSamples.Started(node));
            await _store.ClaimEpochAsync(node, started[0], Cancellation);
            _next++;
        }
        RecordedEvent[] batch = EventStoreSamples.Record(1, _next, events);
        await _store.AppendAsync(node, batch, Cancellation);
        _next += batch.Length;
        return [.. started, .. batch];
    }

    private Task WaitAsync(NodeId node, params string[] except) => Eventually.FoldedAsync(_store, node, except);

    private async Task<string> DigestAsync(string view) =>
        (string)await ScalarAsync($"select count(*) || ' ' || md5(string_agg(v::text, '|' order by v::text)) from {schema.Name}.{view} v where node_id = '{_node}'");

    private async Task<object> ScalarAsync(string sql)
    {
        await using var connection = new NpgsqlConnection(postgres.ConnectionString + ";Pooling=false");
        await connection.OpenAsync(Cancellation);
        await using var command = new NpgsqlCommand(sql, connection);
        return (await command.ExecuteScalarAsync(Cancellation))!;
    }

    /// <summary>The schema of this class.</summary>
    public sealed class ClassSchema
    {
        public string? Name { get; set; }
    }
}
