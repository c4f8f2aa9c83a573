using System.Net;
using EventMesh.Bootstrap;
using EventMesh.Events;
using EventMesh.Identity;
using EventMesh.Messaging;
using EventMesh.Node;
using EventMesh.Projections;
using EventMesh.Tests.Common.Nodes;
using EventMesh.Transport.InMemory;
using Shouldly;
using Xunit;

namespace EventMesh.Simulation;

/// <summary>Staying joined, with whole nodes in virtual time; each node has an address in a /24 of its own.</summary>
public sealed partial class StayingJoinedTests : IAsyncLifetime
{
    private static readonly LinkConditions Link = new() { Latency = TimeSpan.FromMilliseconds(20) };

    private readonly VirtualTimeProvider _clock = new() { WaitForThreadPool = true };
    private readonly InMemoryNetwork _network;
    private readonly List<TestNode> _nodes = [];
    private int _addresses;

    public StayingJoinedTests() => _network = new InMemoryNetwork(new InMemoryNetworkOptions { TimeProvider = _clock, DefaultLink = Link });

    public ValueTask InitializeAsync() => ValueTask.CompletedTask;

    public async ValueTask DisposeAsync()
    {
        foreach (TestNode node in _nodes) await Until(node.DisposeAsync().AsTask());
    }

    // Before its peers have noticed, when they have just noticed, and when they have given up to look every second.
    [Theory]
    [InlineData(5)]
    [InlineData(40)]
    [InlineData(180)]
    public async Task A_node_that_was_killed_and_comes_back_is_joined_again_within_2_seconds(double away)
    {
        TestNode a = await StartAsync();
        TestNode b = await StartAsync(o => o.Contacts = [a.EndPoint.ToString()]);
        Run(() => AreJoined(a, b), 10);
        IPEndPoint address = b.EndPoint;
        await KillAsync(b);
        _clock.Advance(TimeSpan.FromSeconds(away));

        TestNode again = await StartAsync(
            o =>
            {
                o.Listen = address.ToString();
                o.Contacts = [a.EndPoint.ToString()];
            },
            b);
        Run(() => AreJoined(a, again), 2);
        a.Mesh.Peers.ShouldHaveSingleItem().Instance.ShouldBe(again.Mesh.Instance);
    }

    [Theory]
    [InlineData(5)]
    [InlineData(29)]
    public async Task A_peer_that_stopped_in_order_is_dialled_until_it_is_back(double away)
    {
        TestNode a = await StartAsync();
        TestNode b = await StartAsync();
        await Until(a.Mesh.ConnectAsync(b.EndPoint));
        Run(() => AreJoined(a, b), 10);
        // One that was joined for a moment only is not dialled again at once.
        _clock.Advance(TimeSpan.FromSeconds(10));
        IPEndPoint address = b.EndPoint;
        await Until(b.Mesh.StopAsync(CancellationToken.None));
        Run(() => a.Mesh.Peers.Count == 0, 2);
        _clock.Advance(TimeSpan.FromSeconds(away));

        // It knows nobody: another process with its identity, on its address.
        TestNode again = await StartAsync(o => o.Listen = address.ToString(), b, keepLog: false);
        Run(() => AreJoined(a, again), 2);
    }

    [Fact]
    public async Task A_partition_that_lasts_minutes_heals_within_30_seconds()
    {
        TestNode[] one = [await StartAsync(), await StartAsync()];
        TestNode[] other = [await StartAsync(), await StartAsync()];
        foreach (TestNode node in (TestNode[])[.. one[1..], .. other]) await Until(node.Mesh.ConnectAsync(one[0].EndPoint));
        Run(() => one.All(a => other.All(b => AreJoined(a, b))), 30);
        Cut(one, other);
        Run(() => one.All(a => a.Mesh.Peers.Count == 1) && other.All(b => b.Mesh.Peers.Count == 1), 60);
        _clock.Advance(TimeSpan.FromMinutes(5));

        _network.HealAll();

        Run(() => one.All(a => other.All(b => AreJoined(a, b))), 30);
        one[0].Journal.State.Cache.Entries.Count.ShouldBe(3, "an outage of minutes costs nobody his place");
    }

    [Fact]
    public async Task A_disconnected_peer_is_not_dialled_again()
    {
        TestNode a = await StartAsync(o => o.Bootstrap.TargetPeers = 0);
        TestNode b = await StartAsync(o => o.Bootstrap.TargetPeers = 0);
        TestNode c = await StartAsync(o => o.Bootstrap.TargetPeers = 0);
        await Until(a.Mesh.ConnectAsync(b.EndPoint));
        await Until(a.Mesh.ConnectAsync(c.EndPoint));
        await Until(c.Mesh.ConnectAsync(b.EndPoint));
        Run(() => AreJoined(a, b) && AreJoined(a, c) && AreJoined(b, c), 10);

        await Until(a.Mesh.DisconnectAsync(b.Id));
        _clock.Advance(TimeSpan.FromSeconds(20));

        AreJoined(a, b).ShouldBeFalse();
    }

    [Fact]
    public async Task Above_the_high_watermark_a_node_closes_whom_it_needs_least_and_leaves_them_alone()
    {
        TestNode hub = await StartAsync(o =>
        {
            o.Limits.HighWatermark = 11;
            o.Limits.LowWatermark = 10;
            o.Bootstrap.TargetPeers = 0;
            o.Cache.FeelerInterval = TimeSpan.Zero;
        });
        List<TestNode> others = [];
        for (int i = 0; i < 12; i++)
        {
            TestNode node = await StartAsync(o => o.Bootstrap.TargetPeers = 0);
            await Until(node.Mesh.ConnectAsync(hub.EndPoint));
            others.Add(node);
        }
        Run(() => hub.Mesh.Peers.Count == 12, 5);
        _clock.Advance(TimeSpan.FromSeconds(25));
        hub.Mesh.Peers.Count.ShouldBe(12, "all are new");
        // The ninth talks and the tenth is trusted, so the two after them go.
        await Until(hub.Mesh.Trust.TrustAsync(others[9].Id, "ours"));
        (await Until(others[8].Mesh.SendAsync(hub.Id, new OutgoingMessage("chat", new byte[1])).AsTask())).IsSent.ShouldBeTrue();

        Run(() => hub.Mesh.Peers.Count == 10, 30);

        foreach (TestNode kept in others[..10]) AreJoined(hub, kept).ShouldBeTrue();
        Run(() => hub.Log.OfType<PeerLeft>().Count() == 2, 10);
        hub.Log.OfType<PeerLeft>().ShouldAllBe(left => left.Reason == CloseReason.Trimmed);
        Run(() => others[11].Journal.State.Connections.Open.IsEmpty, 5);
        Run(() => others[11].Log.OfType<PeerLeft>().Any(), 10);
        others[11].Log.OfType<PeerLeft>().ShouldHaveSingleItem().Reason.ShouldBe(CloseReason.Trimmed);
    }

    [Fact]
    public async Task A_node_seeks_its_target_and_no_more()
    {
        TestNode contact = await StartAsync();
        for (int i = 0; i < 12; i++) await StartAsync(o => o.Contacts = [contact.EndPoint.ToString()]);
        TestNode last = await StartAsync(o =>
        {
            o.Contacts = [contact.EndPoint.ToString()];
            o.Bootstrap.TargetPeers = 4;
            o.Cache.FeelerInterval = TimeSpan.Zero;
        });

        Run(() => last.Mesh.Peers.Count >= 4, 20);
        _clock.Advance(TimeSpan.FromMinutes(1));

        int dialled = last.Journal.State.Connections.Open.Values.Count(c => c.Direction == ConnectionDirection.Outbound);
        dialled.ShouldBeGreaterThanOrEqualTo(4);
        last.Journal.State.Cache.Entries.ContainsKey(contact.Id).ShouldBeFalse("a contact is never cached");
    }

    [Fact]
    public async Task A_feeler_confirms_a_cached_node_that_another_brought_in_and_evicts_one_that_is_gone()
    {
        TestNode a = await StartAsync(o => { o.Bootstrap.TargetPeers = 0; o.Cache.FeelerInterval = TimeSpan.FromSeconds(10); });
        TestNode b = await StartAsync(o => o.Bootstrap.TargetPeers = 0);
        TestNode c = await StartAsync(o => o.Bootstrap.TargetPeers = 0);
        TestNode gone = await StartAsync(o => o.Bootstrap.TargetPeers = 0);
        await Until(b.Mesh.ConnectAsync(c.EndPoint));
        await Until(b.Mesh.ConnectAsync(gone.EndPoint));
        await Until(gone.Mesh.StopAsync(CancellationToken.None));
        await Until(a.Mesh.ConnectAsync(b.EndPoint));

        CacheRecord[] exported = [.. b.Journal.State.Cache.NewestFirst().Select(e => new CacheRecord(e.Peer, e.Endpoints, e.Certificate))];
        CacheImport imported = await Until(((IBootstrapCache)a.Mesh).ImportAsync(exported, CancellationToken.None));

        // What it exported of A itself and B, whom A has cached, is no news.
        imported.Added.ShouldBe(2);
        Entry(a, c).IsConfirmed.ShouldBeFalse();
        Run(() => Entry(a, c).IsConfirmed && AreJoined(a, c), 120);
        Run(() => !a.Journal.State.Cache.Entries.ContainsKey(gone.Id), 3600 * 3);
        Run(() => a.Log.OfType<CacheEntryEvicted>().Any(), 10);
        a.Log.OfType<DialFailed>().Count(failed => failed.Expected == gone.Id).ShouldBe(BootstrapCacheDecisions.MaxFailures);
        a.Log.OfType<CacheEntryEvicted>().ShouldHaveSingleItem().ShouldBe(new CacheEntryEvicted(gone.Id, EvictionReason.Failures));
    }

    [Fact]
    public async Task A_malformed_import_takes_nothing()
    {
        TestNode a = await StartAsync();
        TestNode b = await StartAsync();
        await Until(a.Mesh.ConnectAsync(b.EndPoint));
        BootstrapCacheEntry entry = Entry(a, b);
        var cache = (IBootstrapCache)b.Mesh;
        CacheRecord good = new(entry.Peer, entry.Endpoints, entry.Certificate);
        foreach (CacheRecord bad in (CacheRecord[])
            [good with { Endpoints = [] }, good with { Certificate = [1, 2] }, good with { Peer = a.Id }, good with { Endpoints = [IPEndPoint.Parse("224.0.0.1:1")] }])
            (await Should.ThrowAsync<MeshException>(() => Until(cache.ImportAsync([good, bad], CancellationToken.None)))).Error.ShouldBe(MeshError.InvalidConfiguration);
        // It is B itself.
        (await Until(cache.ImportAsync([good], CancellationToken.None))).ShouldBe(new CacheImport(0, 0, 1));
    }

    [Fact]
    public async Task A_node_is_cached_by_hand_unless_it_is_a_contact()
    {
        TestNode contact = await StartAsync();
        TestNode a = await StartAsync(o => { o.Contacts = [contact.EndPoint.ToString()]; o.Bootstrap.TargetPeers = 0; });
        TestNode b = await StartAsync(o => o.Bootstrap.TargetPeers = 0);
        var cache = (IBootstrapCache)a.Mesh;

        (await Until(cache.AddAsync(b.EndPoint, null, CancellationToken.None))).Peer.ShouldBe(b.Id);
        (await Should.ThrowAsync<MeshException>(() => Until(cache.AddAsync(contact.EndPoint, null, CancellationToken.None)))).Error
            .ShouldBe(MeshError.InvalidConfiguration);
        (await Until(cache.RemoveAsync(b.Id, CancellationToken.None)))!.Peer.ShouldBe(b.Id);
        (await Until(cache.RemoveAsync(b.Id, CancellationToken.None))).ShouldBeNull();

        a.Journal.State.Cache.Entries.ShouldBeEmpty();
    }

    [Fact]
    public async Task Our_own_address_is_believed_when_three_networks_agree()
    {
        TestNode a = await StartAsync(o => o.Bootstrap.TargetPeers = 0);
        for (int i = 0; i < 3; i++)
        {
            a.Mesh.ObservedEndPoint.ShouldBeNull();
            TestNode other = await StartAsync(o => o.Bootstrap.TargetPeers = 0);
            await Until(a.Mesh.ConnectAsync(other.EndPoint));
        }
        Run(() => a.Mesh.ObservedEndPoint is not null, 5);
        a.Mesh.ObservedEndPoint.ShouldBe(a.EndPoint);
    }

    [Fact]
    public async Task Our_own_address_is_believed_when_a_peer_that_did_not_claim_it_reaches_us_there()
    {
        TestNode a = await StartAsync(o => o.Bootstrap.TargetPeers = 0);
        TestNode claimant = await StartAsync(o => o.Bootstrap.TargetPeers = 0);
        TestNode witness = await StartAsync(o => o.Bootstrap.TargetPeers = 0);
        await Until(a.Mesh.ConnectAsync(claimant.EndPoint));
        _clock.Advance(TimeSpan.FromSeconds(20));
        a.Mesh.ObservedEndPoint.ShouldBeNull("one peer's word is not enough");

        await Until(witness.Mesh.ConnectAsync(a.EndPoint));

        Run(() => a.Mesh.ObservedEndPoint is not null, 20);
        a.Mesh.ObservedEndPoint.ShouldBe(a.EndPoint);
        Run(() => a.Log.OfType<EndpointObserved>().Any(), 10);
        a.Log.OfType<EndpointObserved>().ShouldHaveSingleItem().Observer.ShouldBe(witness.Id);
        AreJoined(a, witness).ShouldBeTrue();
        a.Journal.State.Connections.Open.Count.ShouldBe(4, "the dial-back is no connection of the session");
    }

    private static bool AreJoined(TestNode a, TestNode b) => a.Mesh.Peers.Any(p => p.Peer == b.Id) && b.Mesh.Peers.Any(p => p.Peer == a.Id);

    private static BootstrapCacheEntry Entry(TestNode node, TestNode of) => node.Journal.State.Cache.Entries[of.Id];

    private async Task<TestNode> StartAsync(Action<MeshOptions>? configure = null, TestNode? before = null, bool keepLog = true)
    {
        string listen = $"20.0.{++_addresses}.1:4433";
        TestNode node = await Until(Task.Run(() => TestNode.StartAsync(
            new InMemoryTransportProvider(_network),
            o =>
            {
                o.Listen = listen;
                configure?.Invoke(o);
            },
            keepLog ? before?.Store : null, before?.Directory, _clock)));
        _nodes.Insert(0, node);
        return node;
    }

    /// <summary>Ends a node without a word to anybody.</summary>
    private async Task KillAsync(TestNode node)
    {
        var address = new IPEndPoint(node.EndPoint.Address, 0);
        _network.Isolate(address);
        await Until(node.Mesh.StopAsync(CancellationToken.None));
        _network.Rejoin(address);
    }

    private void Cut(TestNode[] one, TestNode[] other)
    {
        foreach (TestNode a in one)
        {
            foreach (TestNode b in other) _network.Partition(new IPEndPoint(a.EndPoint.Address, 0), new IPEndPoint(b.EndPoint.Address, 0));
        }
    }

    private void Run(Func<bool> condition, double seconds) =>
        _clock.RunUntil(condition, TimeSpan.FromSeconds(seconds)).ShouldBeTrue($"not within {seconds} virtual seconds");

    private async Task<T> Until<T>(Task<T> task)
    {
        await Until((Task)task);
        return await task;
    }

    private async Task Until(Task task)
    {
        _clock.RunUntil(task, TimeSpan.FromMinutes(1)).ShouldBeTrue("not within a virtual minute");
        await task;
    }
}
