using System.Net;
using EventMesh.Events;
using EventMesh.Identity;
using EventMesh.Projections;
using EventMesh.Tests.Common.Nodes;
using Shouldly;
using Xunit;

namespace EventMesh.Simulation;

/// <summary>What strangers can do to a node's peers and cache.</summary>
public sealed partial class StayingJoinedTests
{
    [Fact]
    public async Task A_full_node_lets_a_newcomer_in_for_one_that_dialled_it_but_never_for_the_longest_lived_or_those_it_has_dialled()
    {
        TestNode hub = await StartAsync(o =>
        {
            o.Limits.MaxInboundPeers = 10;
            o.Bootstrap.TargetPeers = 0;
            o.Cache.FeelerInterval = TimeSpan.Zero;
        });
        List<TestNode> others = [];
        for (int i = 0; i < 10; i++)
        {
            others.Add(await StartAsync(o => o.Bootstrap.TargetPeers = 0));
            await Until(others[i].Mesh.ConnectAsync(hub.EndPoint));
        }
        TestNode early = await StartAsync(o => o.Bootstrap.TargetPeers = 0);
        (await Should.ThrowAsync<MeshException>(() => Until(early.Mesh.ConnectAsync(hub.EndPoint)))).Error.ShouldBe(MeshError.TooManyConnections);
        TestNode dialled = await StartAsync(o => o.Bootstrap.TargetPeers = 0);
        await Until(hub.Mesh.ConnectAsync(dialled.EndPoint));
        _clock.Advance(TimeSpan.FromSeconds(6));

        foreach (int _ in Enumerable.Range(0, 4))
        {
            TestNode newcomer = await StartAsync(o => o.Bootstrap.TargetPeers = 0);
            await Until(newcomer.Mesh.ConnectAsync(hub.EndPoint));
            Run(() => AreJoined(hub, newcomer) && hub.Mesh.Peers.Count == 11, 5);
            _clock.Advance(TimeSpan.FromSeconds(6));
        }

        foreach (TestNode old in others[..8]) AreJoined(hub, old).ShouldBeTrue("one of the 8 longest-lived");
        AreJoined(hub, dialled).ShouldBeTrue("chosen by the node itself");
    }

    [Fact]
    public async Task Private_addresses_are_not_told_to_peers_outside()
    {
        TestNode hub = await StartAsync(o => { o.Listen = "10.9.9.9:4433"; o.Bootstrap.TargetPeers = 0; });
        TestNode inside = await StartAsync(o => { o.Listen = "10.1.2.3:4433"; o.Bootstrap.TargetPeers = 0; });
        TestNode neighbour = await StartAsync(o => o.Listen = "10.7.7.7:4433");
        TestNode outside = await StartAsync();
        await Until(inside.Mesh.ConnectAsync(hub.EndPoint));
        await Until(outside.Mesh.ConnectAsync(hub.EndPoint));
        await Until(neighbour.Mesh.ConnectAsync(hub.EndPoint));

        Run(() => AreJoined(neighbour, inside), 30);
        _clock.Advance(TimeSpan.FromMinutes(1));

        AreJoined(outside, inside).ShouldBeFalse();
        outside.Log.OfType<DialFailed>().ShouldBeEmpty();
    }

    [Fact]
    public async Task Inbound_peers_do_not_keep_a_node_from_dialling_others_of_its_choice()
    {
        TestNode honest = await StartAsync(o => o.Bootstrap.TargetPeers = 0);
        TestNode victim = await StartAsync(o =>
        {
            o.Contacts = [honest.EndPoint.ToString()];
            o.Bootstrap.TargetPeers = 4;
        });
        Run(() => AreJoined(victim, honest), 10);
        for (int i = 0; i < 8; i++)
        {
            TestNode attacker = await StartAsync(o => o.Bootstrap.TargetPeers = 0);
            await Until(attacker.Mesh.ConnectAsync(victim.EndPoint));
        }
        TestNode another = await StartAsync(o => o.Bootstrap.TargetPeers = 0);
        await Until(another.Mesh.ConnectAsync(honest.EndPoint));

        Run(() => AreJoined(victim, another), 60);
    }

    [Fact]
    public async Task One_network_has_8_places_in_a_cache()
    {
        TestNode hub = await StartAsync(o => { o.Bootstrap.TargetPeers = 0; o.Cache.FeelerInterval = TimeSpan.Zero; });
        for (int i = 1; i <= 10; i++)
        {
            string listen = $"30.1.2.{i}:4433";
            TestNode node = await StartAsync(o => { o.Listen = listen; o.Bootstrap.TargetPeers = 0; });
            await Until(node.Mesh.ConnectAsync(hub.EndPoint));
            Run(() => AreJoined(hub, node), 5);
        }
        hub.Mesh.Peers.Count.ShouldBe(10);
        hub.Journal.State.Cache.Entries.Count.ShouldBe(8);
        hub.Journal.State.Cache.NewestFirst().Select(entry => entry.Endpoints[0]).ShouldBe(
            Enumerable.Range(3, 8).Reverse().Select(i => IPEndPoint.Parse($"30.1.2.{i}:4433")));
    }
}
