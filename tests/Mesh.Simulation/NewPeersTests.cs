using EventMesh.Events;
using EventMesh.Identity;
using EventMesh.Journal;
using EventMesh.Messaging;
using EventMesh.Node;
using EventMesh.Tests.Common.Nodes;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Shouldly;
using Xunit;
using Notifications = EventMesh.Notifications;

namespace EventMesh.Simulation;

/// <summary>More new peers than the log takes in a minute; whole nodes in virtual time.</summary>
public sealed class NewPeersTests : IAsyncDisposable
{
    private readonly VirtualMesh _mesh = new();

    [Fact]
    public async Task A_held_back_peer_is_one_like_others_and_enters_log_and_cache_when_it_is_its_turn()
    {
        TestNode hub = await StartHubAsync();
        List<TestNode> nodes = [];
        for (int i = 0; i < 5; i++) nodes.Add(await ConnectedAsync(hub, $"10.0.1.{i + 1}"));
        await _mesh.UntilAsync(() => hub.Mesh.Peers.Count == 5, "all have joined");

        hub.Journal.Status.HeldBackPeers.ShouldBe(3);
        hub.Journal.State.Peers.Joined.Keys.ShouldBe(nodes.Take(2).Select(node => node.Id), ignoreOrder: true);
        hub.Journal.State.Cache.Entries.Keys.ShouldBe(nodes.Take(2).Select(node => node.Id), ignoreOrder: true);
        hub.Dispatcher.Notifications.OfType<Notifications.PeerJoined>().Count().ShouldBe(5);
        hub.Dispatcher.Notifications.OfType<Notifications.PeerJoined>().Count(joined => joined.Cause.NodeSeq == 0).ShouldBe(3);
        foreach ((TestNode from, TestNode to) in new[] { (nodes[4], hub), (hub, nodes[4]) })
        {
            SendReceipt receipt = await _mesh.RunAsync(from.Mesh.SendAsync(to.Id, new OutgoingMessage("test", new byte[10])).AsTask());
            receipt.Outcome.ShouldBe(SendOutcome.Acknowledged);
        }
        // One of them goes before its turn.
        await _mesh.RunAsync(nodes[3].Mesh.StopAsync(CancellationToken.None));
        await _mesh.UntilAsync(() => hub.Mesh.Peers.Count == 4, "it has left");

        await _mesh.AdvanceAsync(TimeSpan.FromSeconds(75));

        hub.Journal.Status.HeldBackPeers.ShouldBe(0);
        hub.Journal.State.Peers.Joined.Keys.ShouldBe(new[] { 0, 1, 2, 4 }.Select(i => nodes[i].Id), ignoreOrder: true);
        hub.Journal.State.Cache.Entries.Keys.ShouldBe(new[] { 0, 1, 2, 4 }.Select(i => nodes[i].Id), ignoreOrder: true);
        await _mesh.UntilAsync(() => hub.Log.Count() == hub.Journal.LastNodeSeq, "durable");
        hub.Log.Where(data => Names(data, nodes[3].Id)).ShouldBeEmpty();
        hub.Log.Where(data => Names(data, nodes[4].Id)).Select(data => data.GetType())
            .ShouldBe([typeof(CertificateAccepted), typeof(ConnectionOpened), typeof(ConnectionOpened), typeof(PeerJoined), typeof(CacheEntryAdded)]);
        var counted = hub.Log.OfType<ConnectionsSummarised>().ToList();
        (counted.Sum(c => c.NewPeers), counted.Sum(c => c.Joined), counted.Sum(c => c.Left.Sum(l => l.Count))).ShouldBe((3, 3, 1));
    }

    [Fact]
    public async Task A_held_back_peer_that_an_operator_blocks_leaves_and_the_log_has_it_from_beginning_to_end()
    {
        TestNode hub = await StartHubAsync();
        for (int i = 0; i < 2; i++) await ConnectedAsync(hub, $"10.0.1.{i + 1}");
        TestNode third = await ConnectedAsync(hub, "10.0.1.3");
        await _mesh.UntilAsync(() => hub.Mesh.Peers.Count == 3 && hub.Journal.Status.HeldBackPeers == 1, "all have joined");

        await _mesh.RunAsync(hub.Mesh.Trust.BlockAsync(third.Id, "not ours", by: "root"));

        await _mesh.UntilAsync(() => hub.Mesh.Peers.Count == 2, "it is closed");
        hub.Journal.Status.HeldBackPeers.ShouldBe(0);
        await _mesh.UntilAsync(() => hub.Log.OfType<PeerLeft>().Any(left => left.Peer == third.Id), "durable");
        hub.Log.Where(data => Names(data, third.Id) && data is not ConnectionClosed).Select(data => data.GetType()).ShouldBe(
            [typeof(CertificateAccepted), typeof(ConnectionOpened), typeof(ConnectionOpened), typeof(PeerJoined), typeof(PeerBlocked), typeof(PeerLeft)]);
        hub.Journal.State.Cache.Entries.ShouldNotContainKey(third.Id);
    }

    [Fact]
    public async Task No_more_new_peers_are_dialled_in_a_minute_than_recorded_however_many_others_tell_of()
    {
        TestNode contact = await _mesh.StartAsync("10.0.0.1", o => o.Bootstrap.TargetPeers = 0);
        for (int i = 0; i < 8; i++) await ConnectedAsync(contact, $"10.0.1.{i + 1}");
        TestNode node = await _mesh.StartAsync("10.0.0.2", o =>
        {
            o.Contacts = [contact.EndPoint.ToString()];
            o.Journal.NewPeersPerMinute = 2;
            o.Bootstrap.TargetPeers = 16;
            o.Cache.FeelerInterval = TimeSpan.Zero;
        });
        await _mesh.UntilAsync(() => node.Mesh.Peers.Count == 3, "the contact and two more");

        await _mesh.AdvanceAsync(TimeSpan.FromSeconds(50));
        node.Mesh.Peers.Count.ShouldBe(3);
        await _mesh.UntilAsync(() => node.Mesh.Peers.Count == 9, "all of them in turn, as it asks the contact again by chance", TimeSpan.FromHours(1));

        await _mesh.UntilAsync(() => node.Log.Count() == node.Journal.LastNodeSeq, "durable");
        DateTimeOffset[] dialled = [.. node.Store.Content(node.Mesh.NodeId).Where(recorded => recorded.Data is PeerDiscovered { Source: DiscoverySource.PeerExchange }).Select(recorded => recorded.Time)];
        dialled.Length.ShouldBe(8);
        // Their joins follow their dials by the way there and back.
        for (int i = 0; i + 2 < 8; i++) (dialled[i + 2] - dialled[i]).ShouldBeGreaterThan(TimeSpan.FromSeconds(59));
        node.Log.OfType<ConnectionsSummarised>().ShouldBeEmpty("whom we dial is not held back");
    }

    [Fact]
    public async Task A_new_peer_that_could_not_be_held_back_is_refused_and_one_that_the_log_knows_is_not()
    {
        TestNode hub = await StartHubAsync(services => services.AddSingleton(provider => new EventJournal(
            provider.GetRequiredService<IEventStore>(), new EventSpool(), _mesh.Clock, provider.GetRequiredService<IOptions<MeshOptions>>(),
            provider.GetRequiredService<ILogger<EventJournal>>())
        {
            MaxHeldBack = 1,
        }));
        List<TestNode> nodes = [];
        for (int i = 0; i < 3; i++) nodes.Add(await ConnectedAsync(hub, $"10.0.1.{i + 1}"));
        hub.Journal.Status.HeldBackPeers.ShouldBe(1);

        MeshException refusal = await Should.ThrowAsync<MeshException>(() => ConnectedAsync(hub, "10.0.1.4"));

        refusal.Error.ShouldBe(MeshError.TooManyConnections);
        await _mesh.RunAsync(nodes[0].Mesh.DisconnectAsync(hub.Id));
        await _mesh.RunAsync(nodes[0].ConnectAsync(hub));
        await _mesh.UntilAsync(() => hub.Log.OfType<InboundRefused>().Any(), "the refusal is counted", TimeSpan.FromMinutes(2));
        hub.Mesh.Peers.Count.ShouldBe(3);
    }

    public ValueTask DisposeAsync() => _mesh.DisposeAsync();

    private static bool Names(IMeshEvent data, PeerId peer) => Projections.EventSubjects.Of(data).Contains(peer);

    private Task<TestNode> StartHubAsync(Action<IServiceCollection>? services = null) => _mesh.StartAsync(
        "10.0.0.1",
        o =>
        {
            o.Journal.NewPeersPerMinute = 2;
            o.Bootstrap.TargetPeers = 0;
            o.Cache.FeelerInterval = TimeSpan.Zero;
        },
        services: services);

    /// <summary>A node that has dialled another and dials nobody else.</summary>
    private async Task<TestNode> ConnectedAsync(TestNode to, string address)
    {
        TestNode node = await _mesh.StartAsync(address, o => o.Bootstrap.TargetPeers = 0);
        await _mesh.RunAsync(node.ConnectAsync(to));
        return node;
    }
}
