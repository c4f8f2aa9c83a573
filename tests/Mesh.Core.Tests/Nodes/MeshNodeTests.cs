using System.Net;
using System.Text;
using EventMesh.Events;
using EventMesh.Identity;
using EventMesh.Messaging;
using EventMesh.Tests.Common.Nodes;
using EventMesh.Transport.InMemory;
using Shouldly;
using Xunit;

namespace EventMesh.Core.Tests.Nodes;

/// <summary>Joining, leaving and starting; the messages and requests have files of their own.</summary>
public sealed partial class MeshNodeTests
{
    private readonly InMemoryTransportProvider _transport = new(new InMemoryNetwork());

    [Fact]
    public async Task A_pair_of_nodes_stands_with_a_connection_each_way_and_both_know_that_they_can_be_dialled()
    {
        await using TestNode a = await StartAsync();
        await using TestNode b = await StartAsync();

        PeerInfo peer = await a.ConnectAsync(b);
        await b.WhenJoinedAsync(a);

        peer.Peer.ShouldBe(b.Id);
        peer.Kind.ShouldBe(PeerKind.Node);
        foreach (TestNode node in new[] { a, b })
        {
            await node.WhenAsync(n => n.Log.OfType<PeerJoined>().Any(), "the join is durable");
            node.Log.OfType<ConnectionOpened>().Select(e => e.Direction)
                .ShouldBe([ConnectionDirection.Outbound, ConnectionDirection.Inbound], ignoreOrder: true);
            node.Journal.State.Cache.Entries.Keys.ShouldBe([node == a ? b.Id : a.Id]);
        }
        a.Log.OfType<ReachabilityChanged>().ShouldHaveSingleItem().Reachability.ShouldBe(Reachability.Reachable);
        b.Log.OfType<ReverseConnectivityConfirmed>().ShouldHaveSingleItem().Endpoint.ShouldBe(a.EndPoint);
    }

    [Fact]
    public async Task A_start_whose_address_is_taken_gives_up_the_store_that_opens_meanwhile_and_leaves_the_directory_free()
    {
        await using TestNode first = await StartAsync();
        var store = new EventMesh.Tests.Common.Journal.InMemoryEventStore();
        string directory = Directory.CreateTempSubdirectory("eventmesh-test-").FullName;
        bool isGivenUp = false;
        store.OnOpen = async token =>
        {
            try
            {
                await Task.Delay(Timeout.InfiniteTimeSpan, token);
            }
            finally
            {
                isGivenUp = true;
            }
        };

        await Should.ThrowAsync<MeshException>(() => TestNode.StartAsync(_transport, o => o.Listen = first.EndPoint.ToString(), store, directory));

        isGivenUp.ShouldBeTrue();
        store.OnOpen = null;
        await using (TestNode again = await TestNode.StartAsync(_transport, store: store, directory: directory))
            again.Log.OfType<NodeStarted>().ShouldHaveSingleItem();
        Directory.Delete(directory, recursive: true);
    }

    [Fact]
    public async Task A_client_is_joined_on_its_one_connection_and_never_cached()
    {
        await using TestNode node = await StartAsync();
        await using TestNode client = await StartAsync(o => o.Kind = PeerKind.Client);

        await client.ConnectAsync(node);
        await node.WhenJoinedAsync(client);

        node.Mesh.Peers.ShouldHaveSingleItem().Kind.ShouldBe(PeerKind.Client);
        node.Journal.State.Cache.Entries.ShouldBeEmpty();
        node.Journal.State.Connections.Open.Count.ShouldBe(1);
        client.Journal.State.Cache.Entries.Keys.ShouldBe([node.Id]);
        (await node.Mesh.SendAsync(client.Id, Text("down"))).IsSent.ShouldBeTrue();
        (await client.Mesh.SendAsync(node.Id, Text("up"))).IsSent.ShouldBeTrue();
    }

    [Fact]
    public async Task Three_nodes_that_know_one_contact_come_to_know_each_other()
    {
        await using TestNode contact = await StartAsync();
        await using TestNode a = await StartAsync(o => o.Contacts = [contact.EndPoint.ToString()]);
        await using TestNode b = await StartAsync(o => o.Contacts = [contact.EndPoint.ToString()]);

        await a.WhenJoinedAsync(contact, b);
        await b.WhenJoinedAsync(contact, a);

        a.Journal.State.Cache.Entries.Keys.ShouldBe([b.Id], "a contact is never cached");
        await a.WhenAsync(n => n.Log.OfType<BootstrapSucceeded>().Any(), "bootstrap is recorded");
        a.Log.OfType<BootstrapSucceeded>().ShouldHaveSingleItem().Source.ShouldBe(BootstrapSource.Contact);
    }

    [Fact]
    public async Task A_restarted_node_rejoins_from_its_cache_without_contacts()
    {
        await using TestNode contact = await StartAsync();
        await using TestNode a = await StartAsync(o => o.Contacts = [contact.EndPoint.ToString()]);
        TestNode b = await StartAsync(o => o.Contacts = [contact.EndPoint.ToString()]);
        await b.WhenJoinedAsync(contact, a);
        PeerId before = b.Id;
        await b.Mesh.StopAsync(CancellationToken.None);

        await using TestNode again = await TestNode.StartAsync(_transport, store: b.Store, directory: b.Directory);
        await again.WhenJoinedAsync(a, contact);

        again.Id.ShouldBe(before);
        await again.WhenAsync(n => n.Log.OfType<BootstrapSucceeded>().Count() == 2, "the second bootstrap is durable");
        again.Log.OfType<BootstrapSucceeded>().Last().Source.ShouldBe(BootstrapSource.Cache);
        again.Log.OfType<CacheEntryConfirmed>().ShouldContain(e => e.Peer == a.Id && e.By == null);
        await b.DisposeAsync();
    }

    [Fact]
    public async Task A_restarted_node_rejoins_from_its_cache_while_its_store_is_away()
    {
        await using TestNode contact = await StartAsync();
        TestNode b = await StartAsync(o => o.Contacts = [contact.EndPoint.ToString()]);
        await using TestNode a = await StartAsync(o => o.Contacts = [contact.EndPoint.ToString()]);
        await b.WhenJoinedAsync(contact, a);
        await b.WhenAsync(n => n.Journal.State.Cache.Entries.ContainsKey(a.Id), "a is cached");
        b.Store.IsExternal = true;
        await b.Mesh.StopAsync(CancellationToken.None);
        int before = b.Store.Content(b.Mesh.NodeId).Count;

        b.Store.IsAvailable = false;
        await using TestNode again = await TestNode.StartAsync(_transport, store: b.Store, directory: b.Directory);
        await again.WhenJoinedAsync(a, contact);
        again.Log.Count().ShouldBe(before);
        again.Store.IsAvailable = true;

        await again.WhenAsync(n => n.Log.OfType<BootstrapSucceeded>().Count() == 2, "the second bootstrap is in the store");
        again.Log.OfType<BootstrapSucceeded>().Last().Source.ShouldBe(BootstrapSource.Cache);
        again.Store.Content(again.Mesh.NodeId).Select(recorded => recorded.NodeSeq)
            .ShouldBe(Enumerable.Range(1, again.Log.Count()).Select(place => (long)place));
        await b.DisposeAsync();
    }

    [Fact]
    public async Task A_node_that_never_saw_its_store_does_not_start_without_it()
    {
        var store = new EventMesh.Tests.Common.Journal.InMemoryEventStore { IsExternal = true, IsAvailable = false };

        (await Should.ThrowAsync<MeshException>(() => TestNode.StartAsync(_transport, store: store))).Error.ShouldBe(MeshError.StoreUnavailable);
    }

    [Fact]
    public async Task A_node_of_another_mesh_is_refused()
    {
        await using TestNode a = await StartAsync(o => o.MeshName = "staging");
        await using TestNode b = await StartAsync(o => o.MeshName = "production");

        MeshException error = await Should.ThrowAsync<MeshException>(() => a.ConnectAsync(b));

        error.Error.ShouldBe(MeshError.WrongMesh);
        b.Mesh.Peers.ShouldBeEmpty();
        a.Journal.State.Cache.Entries.ShouldBeEmpty();
    }

    [Fact]
    public async Task A_node_that_dials_itself_is_told_so()
    {
        await using TestNode a = await StartAsync();

        (await Should.ThrowAsync<MeshException>(() => a.ConnectAsync(a))).Error.ShouldBe(MeshError.ConnectionToSelf);
    }

    [Fact]
    public async Task A_dial_that_expects_another_peer_fails()
    {
        await using TestNode a = await StartAsync();
        await using TestNode b = await StartAsync();

        MeshException error = await Should.ThrowAsync<MeshException>(() => a.Mesh.ConnectAsync(b.EndPoint, new PeerId(new byte[32])));

        error.Error.ShouldBe(MeshError.WrongPeer);
    }

    [Fact]
    public async Task A_second_connect_returns_the_joined_peer()
    {
        (TestNode a, TestNode b) = await PairAsync();
        await using TestNode _ = a, __ = b;

        (await a.ConnectAsync(b)).Peer.ShouldBe(b.Id);
        (await b.ConnectAsync(a)).Peer.ShouldBe(a.Id);

        a.Journal.State.Connections.Open.Count.ShouldBe(2);
    }

    [Fact]
    public async Task Crossing_dials_end_in_one_pair()
    {
        for (int round = 0; round < 10; round++)
        {
            await using TestNode a = await StartAsync();
            await using TestNode b = await StartAsync();

            PeerInfo[] peers = await Task.WhenAll(a.ConnectAsync(b), b.ConnectAsync(a));

            peers.Select(p => p.Peer).ShouldBe([b.Id, a.Id]);
            await a.WhenAsync(n => n.Journal.State.Connections.Open.Count == 2, "one connection each way");
            await b.WhenAsync(n => n.Journal.State.Connections.Open.Count == 2, "one connection each way");
            (await a.Mesh.SendAsync(b.Id, Text("x"))).IsSent.ShouldBeTrue();
            (await b.Mesh.SendAsync(a.Id, Text("x"))).IsSent.ShouldBeTrue();
        }
    }

    [Fact]
    public async Task Disconnecting_tells_the_peer_and_both_logs_explain_it()
    {
        (TestNode a, TestNode b) = await PairAsync();
        await using TestNode _ = a, __ = b;

        await a.Mesh.DisconnectAsync(b.Id);
        await b.WhenLeftAsync(a.Id);
        await b.WhenAsync(n => n.Log.OfType<PeerLeft>().Any(), "durable");
        await a.WhenAsync(n => n.Log.OfType<PeerLeft>().Any(), "durable");

        a.Mesh.Peers.ShouldBeEmpty();
        a.Log.OfType<PeerLeft>().First().Reason.ShouldBe(CloseReason.Local);
        a.Log.OfType<ConnectionClosed>().Count().ShouldBe(2);
        b.Log.OfType<ConnectionClosed>().Count().ShouldBe(2);
    }

    [Fact]
    public async Task A_node_that_stops_tells_its_peers_and_leaves_nothing_open_in_its_log()
    {
        (TestNode a, TestNode b) = await PairAsync();
        await using TestNode _ = a, __ = b;

        await a.Mesh.StopAsync(CancellationToken.None);
        await b.WhenLeftAsync(a.Id);
        await b.WhenAsync(n => n.Log.OfType<PeerLeft>().Any(), "the departure is durable");

        b.Journal.State.Connections.Open.ShouldBeEmpty();
        IMeshEvent[] log = [.. a.Log];
        log[^1].ShouldBeOfType<NodeStopped>();
        log.OfType<ConnectionOpened>().Select(e => e.Connection).Order()
            .ShouldBe(log.OfType<ConnectionClosed>().Select(e => e.Connection).Order());
        b.Log.OfType<PeerLeft>().ShouldHaveSingleItem().Reason.ShouldBe(CloseReason.PeerShutdown);
    }

    [Fact]
    public async Task An_unreachable_contact_is_reported_and_tried_again_until_it_answers()
    {
        IPEndPoint address;
        await using (TestNode gone = await StartAsync()) address = gone.EndPoint;
        await using TestNode a = await StartAsync(o =>
        {
            o.Contacts = [address.ToString()];
            o.Transport.HandshakeTimeout = TimeSpan.FromMilliseconds(200);
            o.Bootstrap.RetryDelay = TimeSpan.FromMilliseconds(50);
        });
        await a.WhenAsync(n => n.Log.OfType<BootstrapFailed>().Any(), "the failure is reported");

        await using TestNode b = await StartAsync(o => o.Listen = address.ToString());
        await a.WhenJoinedAsync(b);

        a.Log.OfType<DialFailed>().First().Error.ShouldBe(MeshError.Unreachable);
    }

    [Fact]
    public async Task Of_several_contacts_the_first_that_answers_wins()
    {
        await using TestNode one = await StartAsync();
        await using TestNode two = await StartAsync();
        IPEndPoint dead;
        await using (TestNode gone = await StartAsync()) dead = gone.EndPoint;

        await using TestNode a = await StartAsync(o =>
        {
            o.Contacts = [dead.ToString(), one.EndPoint.ToString(), two.EndPoint.ToString()];
            o.Bootstrap.TargetPeers = 1;
            o.Bootstrap.Stagger = TimeSpan.FromMilliseconds(500);
        });
        await a.WhenAsync(n => n.Log.OfType<BootstrapSucceeded>().Any(), "joined");

        a.Log.OfType<BootstrapSucceeded>().ShouldHaveSingleItem().Peer.ShouldBe(one.Id);
        a.Mesh.Peers.Select(p => p.Peer).ShouldBe([one.Id]);
    }

    [Fact]
    public async Task A_data_directory_serves_one_node_at_a_time()
    {
        await using TestNode a = await StartAsync();

        MeshException error = await Should.ThrowAsync<MeshException>(() => TestNode.StartAsync(_transport, directory: a.Directory));

        error.Error.ShouldBe(MeshError.DataDirectoryLocked);
    }

    [Fact]
    public async Task A_taken_port_fails_the_start_and_leaves_nothing_behind()
    {
        await using TestNode a = await StartAsync();
        string directory = Directory.CreateTempSubdirectory("eventmesh-test-").FullName;

        MeshException error = await Should.ThrowAsync<MeshException>(
            () => TestNode.StartAsync(_transport, o => o.Listen = a.EndPoint.ToString(), directory: directory));
        await using TestNode afterwards = await TestNode.StartAsync(_transport, directory: directory);

        error.Error.ShouldBe(MeshError.AddressInUse);
        await afterwards.DisposeAsync();
        Directory.Delete(directory, recursive: true);
    }

    private Task<TestNode> StartAsync(Action<EventMesh.Node.MeshOptions>? configure = null) => TestNode.StartAsync(_transport, configure);

    private async Task<(TestNode A, TestNode B)> PairAsync()
    {
        TestNode a = await StartAsync();
        TestNode b = await StartAsync();
        await a.ConnectAsync(b);
        await b.WhenJoinedAsync(a);
        return (a, b);
    }

    private static OutgoingMessage Text(string text) => new("chat", Encoding.UTF8.GetBytes(text));
}
