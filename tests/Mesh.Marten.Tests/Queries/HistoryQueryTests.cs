using System.Net;
using EventMesh.Conformance;
using EventMesh.Events;
using EventMesh.Identity;
using EventMesh.Marten.Queries;
using EventMesh.Marten.Store;
using EventMesh.Marten.Tests.Fixture;
using EventMesh.Projections;
using Npgsql;
using Shouldly;
using Xunit;

namespace EventMesh.Marten.Tests.Queries;

/// <summary>Answers as of a time: where they stand, and in pages that stay what they were.</summary>
public sealed class HistoryQueryTests(PostgresFixture postgres, HistoryQueryTests.ClassSchema schema) : IAsyncLifetime, IClassFixture<HistoryQueryTests.ClassSchema>
{
    private readonly NodeId _node = new(Guid.NewGuid());
    private readonly string _schema = schema.Name ??= postgres.NewSchema();
    private MartenEventStore _store = null!;
    private LogScript _log = null!;

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        _store = await postgres.OpenStoreAsync(_schema);
        _log = new LogScript(_store, _node);
    }

    public ValueTask DisposeAsync() => _store.DisposeAsync();

    [Fact]
    public async Task An_answer_says_the_place_that_it_is_as_of()
    {
        await _log.AppendAsync([.. Enumerable.Range(1, 20).Select(Joined)]);
        await _log.FoldedAsync();

        for (int i = 0; i < _log.Events.Count; i++)
        {
            // Between two events the earlier one is the last.
            DateTimeOffset at = _log.Events[i].Time.AddMicroseconds(i % 2 == 0 ? 0 : 999);
            HistoryPage<JoinedPeer> page = await _store.Queries.FindPeersAsync(_node, new HistoryFilter { At = at }, Cancellation);
            page.AsOf.ShouldBe(new HistoryPoint(i + 1, i + 1, _log.Events[i].Time, 21));
            page.Items.Count.ShouldBe(i);
        }
        HistoryPage<JoinedPeer> before = await _store.Queries.FindPeersAsync(
            _node, new HistoryFilter { At = _log.Events[0].Time.AddMicroseconds(-1) }, Cancellation);
        before.AsOf.ShouldBe(new HistoryPoint(0, 0, null, 21));
        before.Items.ShouldBeEmpty();
    }

    [Fact]
    public async Task An_answer_of_a_projection_that_lags_says_so_and_stands_on_what_is_folded()
    {
        await _log.AppendAsync(Joined(1));
        await _log.FoldedAsync();
        // The projection's turn waits for this lock, as for a rebuild's switch.
        await using var connection = new NpgsqlConnection(postgres.ConnectionString + ";Pooling=false");
        await connection.OpenAsync(Cancellation);
        await using NpgsqlTransaction transaction = await connection.BeginTransactionAsync(Cancellation);
        await using (var hold = new NpgsqlCommand($"select * from {_schema}.projection for update", connection, transaction))
            await hold.ExecuteNonQueryAsync(Cancellation);
        await _log.AppendAsync(Joined(2), new PeerLeft(EventStoreSamples.Peer(1), CloseReason.Idle));

        HistoryPage<JoinedPeer> page = await _store.Queries.FindPeersAsync(_node, new HistoryFilter { At = _log.Events[^1].Time }, Cancellation);

        page.AsOf.ShouldBe(new HistoryPoint(4, 2, _log.Events[1].Time, 4));
        page.AsOf.IsComplete.ShouldBeFalse();
        page.Items.Select(peer => peer.Peer).ShouldBe([EventStoreSamples.Peer(1)]);
        await transaction.RollbackAsync(Cancellation);
        await _log.FoldedAsync();
        page = await _store.Queries.FindPeersAsync(_node, new HistoryFilter { At = _log.Events[^1].Time }, Cancellation);
        page.AsOf.IsComplete.ShouldBeTrue();
        page.Items.Select(peer => peer.Peer).ShouldBe([EventStoreSamples.Peer(2)]);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Pages_stand_on_one_place_while_the_log_goes_on(bool oldestFirst)
    {
        await _log.AppendAsync([.. Enumerable.Range(1, 25).Select(Joined)]);
        await _log.FoldedAsync();
        var seen = new List<PeerId>();
        string? after = null;
        int pages = 0;
        do
        {
            HistoryPage<JoinedPeer> page = await _store.Queries.FindPeersAsync(
                _node, new HistoryFilter { OldestFirst = oldestFirst, Limit = 10, After = after }, Cancellation);
            page.AsOf.Seq.ShouldBe(26);
            seen.AddRange(page.Items.Select(peer => peer.Peer));
            after = page.Next;
            await _log.AppendAsync(Joined(100 + pages), new PeerLeft(EventStoreSamples.Peer(20 + pages++), CloseReason.Idle));
            await _log.FoldedAsync();
        }
        while (after is not null);

        pages.ShouldBe(3);
        IEnumerable<PeerId> expected = Enumerable.Range(1, 25).Select(EventStoreSamples.Peer);
        seen.ShouldBe(oldestFirst ? expected : expected.Reverse());
    }

    [Fact]
    public async Task The_cache_is_filtered_and_paged_like_the_peers()
    {
        await _log.AppendAsync([.. Enumerable.Range(1, 5).Select(i => new CacheEntryAdded(EventStoreSamples.Peer(i), [], [1], ConnectionDirection.Inbound))]);
        RecordedEvent[] refreshed = await _log.AppendAsync(new CacheEntryRefreshed(EventStoreSamples.Peer(2), [], [2]));
        await _log.AppendAsync(new CacheEntryEvicted(EventStoreSamples.Peer(3), EvictionReason.ByHand));
        await _log.FoldedAsync();

        HistoryPage<BootstrapCacheEntry> page = await _store.Queries.FindCacheEntriesAsync(
            _node, new HistoryFilter { At = refreshed[0].Time, Limit = 2 }, Cancellation);
        page.Items.Select(entry => entry.Peer).ShouldBe([EventStoreSamples.Peer(2), EventStoreSamples.Peer(5)]);
        page = await _store.Queries.FindCacheEntriesAsync(_node, new HistoryFilter { Limit = 1000, After = page.Next }, Cancellation);
        page.Items.Select(entry => entry.Peer).ShouldBe([EventStoreSamples.Peer(4), EventStoreSamples.Peer(3), EventStoreSamples.Peer(1)]);
        page.Next.ShouldBeNull();
        string prefix = EventStoreSamples.Peer(4).ToString()[..3];
        (await _store.Queries.FindCacheEntriesAsync(_node, new HistoryFilter { PeerPrefix = prefix }, Cancellation))
            .Items.ShouldHaveSingleItem().Peer.ShouldBe(EventStoreSamples.Peer(4));
    }

    [Fact]
    public async Task Connections_are_filtered_sorted_and_paged()
    {
        Guid[] ids = [.. Enumerable.Range(0, 30).Select(_ => Guid.NewGuid())];
        await _log.AppendAsync([.. ids.Select((id, i) => new ConnectionOpened(
            id, EventStoreSamples.Peer(i % 3), new IPEndPoint(IPAddress.Loopback, 1), i % 2 == 0 ? ConnectionDirection.Inbound : ConnectionDirection.Outbound))]);
        await _log.AppendAsync([.. ids.Take(20).Select((id, i) => new ConnectionClosed(
            id, EventStoreSamples.Peer(i % 3), i < 10 ? CloseReason.Idle : CloseReason.Lost, 1, 2, 3, 4, TimeSpan.Zero))]);
        await _log.FoldedAsync();

        (await FindAsync(new ConnectionFilter { Limit = 7 })).ShouldBe(ids.Reverse());
        (await FindAsync(new ConnectionFilter { Limit = 7, OldestFirst = true })).ShouldBe(ids);
        (await FindAsync(new ConnectionFilter { Limit = 4, Reason = CloseReason.Lost })).ShouldBe(ids.Skip(10).Take(10).Reverse());
        (await FindAsync(new ConnectionFilter { Limit = 4, Direction = ConnectionDirection.Inbound, OldestFirst = true }))
            .ShouldBe(ids.Where((_, i) => i % 2 == 0));
        (await FindAsync(new ConnectionFilter { Limit = 3, PeerPrefix = EventStoreSamples.Peer(1).ToString()[..4], Reason = CloseReason.Idle }))
            .ShouldBe(ids.Take(10).Where((_, i) => i % 3 == 1).Reverse());
        (await FindAsync(new ConnectionFilter { Limit = 6, OpenAt = _log.Events[35].Time })).ShouldBe(ids.Skip(5).Reverse());
    }

    [Fact]
    public async Task Trust_as_of_a_time_leaves_out_what_had_ended_by_itself()
    {
        DateTimeOffset until = EventStoreSamples.Start.AddMinutes(5);
        RecordedEvent[] blocked = await _log.AppendAsync(
            new PeerBlocked(EventStoreSamples.Peer(1), "x", until, "limits"), new PeerTrusted(EventStoreSamples.Peer(2), "", "me"),
            new CertificateRevoked(EventStoreSamples.Peer(2), null, "", "me"));
        await _log.FoldedAsync();

        (await KindsAsync(blocked[0].Time)).ShouldBe([TrustLedgerKind.Block]);
        (await KindsAsync(blocked[1].Time)).ShouldBe([TrustLedgerKind.Trust, TrustLedgerKind.Block]);
        (await KindsAsync(until.AddMicroseconds(-1))).ShouldBe([TrustLedgerKind.Block, TrustLedgerKind.Revocation]);
        (await KindsAsync(until)).ShouldBe([TrustLedgerKind.Revocation]);
        (await KindsAsync(EventStoreSamples.Start)).ShouldBeEmpty();
        (await _store.Queries.FindTrustAsync(_node, until, Cancellation)).AsOf.Seq.ShouldBe(4);

        async Task<IEnumerable<TrustLedgerKind>> KindsAsync(DateTimeOffset at) =>
            (await _store.Queries.FindTrustAsync(_node, at, Cancellation)).Items.Select(entry => entry.Kind);
    }

    [Fact]
    public async Task The_topology_has_each_nodes_place()
    {
        var other = new NodeId(Guid.NewGuid());
        var second = new LogScript(_store, other);
        await _log.AppendAsync(Joined(1), Joined(2));
        await second.AppendAsync(Joined(1));
        await _log.FoldedAsync();
        await second.FoldedAsync();

        MeshTopology all = await _store.Queries.FindTopologyAsync(null, _log.Events[1].Time, Cancellation);
        all.Edges.Where(edge => edge.Node == _node || edge.Node == other).Select(edge => (edge.Node, edge.Peer)).ShouldBe([(_node, EventStoreSamples.Peer(1)), (other, EventStoreSamples.Peer(1))], ignoreOrder: true);
        all.AsOf[_node].Seq.ShouldBe(2);
        all.AsOf[other].Seq.ShouldBe(2);
        MeshTopology own = await _store.Queries.FindTopologyAsync(_node, cancellationToken: Cancellation);
        own.Edges.Select(edge => edge.Peer).ShouldBe([EventStoreSamples.Peer(1), EventStoreSamples.Peer(2)], ignoreOrder: true);
        own.AsOf.Keys.ShouldBe([_node]);
    }

    [Fact]
    public async Task A_cursor_of_another_query_is_refused()
    {
        await _log.AppendAsync(Joined(1), Joined(2));
        await _log.FoldedAsync();
        string next = (await _store.Queries.FindPeersAsync(_node, new HistoryFilter { Limit = 1 }, Cancellation)).Next!;

        (await Should.ThrowAsync<MeshException>(() => _store.Queries.FindPeersAsync(_node, new HistoryFilter { After = next, OldestFirst = true }, Cancellation)))
            .Error.ShouldBe(MeshError.InvalidConfiguration);
        await Should.ThrowAsync<MeshException>(() => _store.Queries.FindCacheEntriesAsync(_node, new HistoryFilter { After = next }, Cancellation));
        await Should.ThrowAsync<MeshException>(() => _store.Queries.FindPeersAsync(_node, new HistoryFilter { After = "nonsense" }, Cancellation));
        await Should.ThrowAsync<ArgumentException>(() => _store.Queries.FindPeersAsync(_node, new HistoryFilter { Limit = 1001 }, Cancellation));
    }

    private static PeerJoined Joined(int peer) => new(EventStoreSamples.Peer(peer), Guid.NewGuid(), PeerKind.Node, [], $"agent/{peer}");

    private async Task<List<Guid>> FindAsync(ConnectionFilter filter)
    {
        var found = new List<Guid>();
        string? after = null;
        do
        {
            HistoryPage<ConnectionRecord> page = await _store.Queries.FindConnectionsAsync(_node, filter with { After = after }, Cancellation);
            page.Items.Count.ShouldBeInRange(1, filter.Limit);
            found.AddRange(page.Items.Select(connection => connection.Connection));
            after = page.Next;
        }
        while (after is not null);
        return found;
    }

    /// <summary>The schema of this class: each test has a node of its own.</summary>
    public sealed class ClassSchema
    {
        public string? Name { get; set; }
    }
}
