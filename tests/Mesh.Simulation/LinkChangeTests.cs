using System.Text;
using EventMesh.Events;
using EventMesh.Identity;
using EventMesh.Messaging;
using EventMesh.Tests.Common.Nodes;
using EventMesh.Transport.InMemory;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Shouldly;
using Xunit;
using Notifications = EventMesh.Notifications;

namespace EventMesh.Simulation;

/// <summary>Joined peers that become clients or nodes, and instances that replace each other; whole nodes in virtual time.</summary>
public sealed class LinkChangeTests : IAsyncDisposable
{
    private readonly VirtualMesh _mesh = new();

    [Fact]
    public async Task A_node_behind_a_firewall_is_a_client_until_the_firewall_opens_and_no_message_is_lost_on_the_way()
    {
        TestNode front = await _mesh.StartAsync("10.0.0.1");
        TestNode behind = await _mesh.StartAsync("10.0.0.2");
        _mesh.CloseToOthers(front, behind.EndPoint.Address);
        await _mesh.RunAsync(behind.ConnectAsync(front));
        await _mesh.UntilAsync(() => front.Mesh.Peers is [{ Kind: PeerKind.Client }], "the check has failed");
        front.Journal.State.Cache.Entries.ShouldBeEmpty();
        behind.Journal.State.Node.Reachability.ShouldBe(Reachability.Unreachable);
        await SendBothWaysAsync(front, behind, 1);

        await _mesh.AdvanceAsync(TimeSpan.FromMinutes(5));
        await _mesh.UntilAsync(() => front.Log.OfType<ReverseConnectivityFailed>().Any(), "durable");
        front.Log.OfType<ReverseConnectivityFailed>().Count().ShouldBe(1, "one check in ten minutes");
        _mesh.OpenToOthers(front, behind.EndPoint.Address);
        Task<SendReceipt[]> stream = SendForAsync(front, behind, TimeSpan.FromMinutes(10));
        await _mesh.UntilAsync(() => front.Mesh.Peers is [{ Kind: PeerKind.Node }], "it is checked again", TimeSpan.FromMinutes(10));

        (await _mesh.RunAsync(stream, TimeSpan.FromMinutes(11))).ShouldAllBe(receipt => receipt.Outcome == SendOutcome.Acknowledged);
        await _mesh.UntilAsync(() => front.Log.OfType<PeerUpdated>().Any(), "durable");
        PeerUpdated updated = front.Log.OfType<PeerUpdated>().ShouldHaveSingleItem();
        updated.Kind.ShouldBe(PeerKind.Node);
        updated.Endpoints.ShouldBe([behind.EndPoint]);
        front.Dispatcher.Notifications.OfType<Notifications.PeerUpdated>().ShouldHaveSingleItem().Peer.Kind.ShouldBe(PeerKind.Node);
        front.Mesh.Peers[0].Remote.ShouldBe(behind.EndPoint);
        front.Journal.State.Connections.Open.Count.ShouldBe(2);
        behind.Journal.State.Connections.Open.Count.ShouldBe(2);
        behind.Journal.State.Node.Reachability.ShouldBe(Reachability.Reachable);
        front.Journal.State.Cache.Entries.Keys.ShouldBe([behind.Id]);
        front.Log.OfType<PeerLeft>().ShouldBeEmpty();
    }

    [Fact]
    public async Task A_node_that_another_peer_could_reach_asks_the_first_one_again()
    {
        TestNode front = await _mesh.StartAsync("10.0.0.1", o => o.Bootstrap.ReverseCheckInterval = TimeSpan.FromSeconds(30));
        TestNode behind = await _mesh.StartAsync("10.0.0.2", o => o.Bootstrap.ReverseCheckInterval = TimeSpan.FromHours(10));
        TestNode third = await _mesh.StartAsync("10.0.0.3");
        _mesh.CloseToOthers(front, behind.EndPoint.Address);
        await _mesh.RunAsync(behind.ConnectAsync(front));
        await _mesh.UntilAsync(() => front.Mesh.Peers is [{ Kind: PeerKind.Client }], "the check has failed");
        await _mesh.AdvanceAsync(TimeSpan.FromMinutes(2));
        _mesh.OpenToOthers(front, behind.EndPoint.Address);

        await _mesh.RunAsync(behind.ConnectAsync(third));

        await _mesh.UntilAsync(() => front.Mesh.Peers.Any(p => p.Peer == behind.Id && p.Kind == PeerKind.Node), "it is checked again");
    }

    [Fact]
    public async Task A_pair_whose_reverse_path_dies_goes_on_as_a_client_link_and_recovers()
    {
        TestNode front = await _mesh.StartAsync("10.0.0.1");
        TestNode behind = await _mesh.StartAsync("10.0.0.2");
        await _mesh.RunAsync(behind.ConnectAsync(front));
        await _mesh.UntilAsync(() => front.Mesh.Peers is [{ Kind: PeerKind.Node }], "the pair stands");
        _mesh.CloseToOthers(front, behind.EndPoint.Address);

        await _mesh.UntilAsync(() => front.Mesh.Peers is [{ Kind: PeerKind.Client }], "the reverse connection is idle", TimeSpan.FromMinutes(2));
        await SendBothWaysAsync(front, behind, 1);
        await _mesh.UntilAsync(() => behind.Journal.State.Connections.Open.Count == 1, "both know", TimeSpan.FromMinutes(2));
        front.Mesh.Peers[0].Endpoints.ShouldBeEmpty();
        _mesh.OpenToOthers(front, behind.EndPoint.Address);
        await _mesh.UntilAsync(() => front.Mesh.Peers is [{ Kind: PeerKind.Node }], "it is checked again", TimeSpan.FromMinutes(30));

        await _mesh.UntilAsync(() => front.Log.OfType<PeerUpdated>().Count() >= 2, "durable");
        front.Log.OfType<PeerUpdated>().Select(e => e.Kind).ShouldBe([PeerKind.Client, PeerKind.Node]);
        front.Log.OfType<PeerLeft>().ShouldBeEmpty();
        behind.Log.OfType<PeerLeft>().ShouldBeEmpty();
        await SendBothWaysAsync(front, behind, 2);
    }

    [Fact]
    public async Task A_node_that_can_not_be_dialled_any_more_leaves_the_cache_and_is_back_when_it_can()
    {
        TestNode front = await _mesh.StartAsync("10.0.0.1");
        TestNode behind = await _mesh.StartAsync("10.0.0.2");
        await _mesh.RunAsync(behind.ConnectAsync(front));
        await _mesh.UntilAsync(() => front.Journal.State.Cache.Entries.ContainsKey(behind.Id), "cached");
        _mesh.CloseToOthers(front, behind.EndPoint.Address);
        await _mesh.UntilAsync(() => front.Mesh.Peers is [{ Kind: PeerKind.Client }], "it is a client", TimeSpan.FromMinutes(2));

        await _mesh.UntilAsync(() => front.Journal.State.Cache.Entries.IsEmpty, "it has left the cache", TimeSpan.FromSeconds(2));

        await _mesh.UntilAsync(() => front.Log.OfType<CacheEntryEvicted>().Any(), "durable");
        front.Log.OfType<CacheEntryEvicted>().ShouldHaveSingleItem().ShouldBe(new CacheEntryEvicted(behind.Id, EvictionReason.NotReachable));
        _mesh.OpenToOthers(front, behind.EndPoint.Address);
        await _mesh.UntilAsync(() => front.Mesh.Peers is [{ Kind: PeerKind.Node }], "it is checked again", TimeSpan.FromMinutes(30));
        await _mesh.UntilAsync(() => front.Journal.State.Cache.Entries.ContainsKey(behind.Id), "it is back in the cache");
        behind.Log.OfType<CacheEntryEvicted>().ShouldBeEmpty("the other one could be dialled all the time");
    }

    [Fact]
    public async Task A_cached_node_that_comes_back_and_can_not_be_dialled_any_more_leaves_the_cache()
    {
        TestNode front = await _mesh.StartAsync("10.0.0.1");
        TestNode behind = await _mesh.StartAsync("10.0.0.2");
        await _mesh.RunAsync(behind.ConnectAsync(front));
        await _mesh.UntilAsync(() => front.Journal.State.Cache.Entries.ContainsKey(behind.Id), "cached");
        _mesh.CloseToOthers(front, behind.EndPoint.Address);
        await _mesh.RunAsync(behind.Mesh.DisconnectAsync(front.Id));
        await _mesh.UntilAsync(() => front.Mesh.Peers.Count == 0, "it has left");
        front.Journal.State.Cache.Entries.Keys.ShouldBe([behind.Id]);

        await _mesh.RunAsync(behind.ConnectAsync(front));

        await _mesh.UntilAsync(() => front.Mesh.Peers is [{ Kind: PeerKind.Client }], "the check has failed", TimeSpan.FromMinutes(1));
        await _mesh.UntilAsync(() => front.Log.OfType<CacheEntryEvicted>().Any(), "it has left the cache", TimeSpan.FromSeconds(5));
        front.Log.OfType<CacheEntryEvicted>().ShouldHaveSingleItem().ShouldBe(new CacheEntryEvicted(behind.Id, EvictionReason.NotReachable));
    }

    [Fact]
    public async Task A_node_that_falls_silent_altogether_keeps_its_place_in_the_cache()
    {
        TestNode front = await _mesh.StartAsync("10.0.0.1");
        TestNode behind = await _mesh.StartAsync("10.0.0.2");
        await _mesh.RunAsync(behind.ConnectAsync(front));
        await _mesh.UntilAsync(() => front.Journal.State.Cache.Entries.ContainsKey(behind.Id), "cached");
        // So that the reverse connection is the first to fall silent.
        _mesh.CloseToOthers(front, behind.EndPoint.Address);
        await _mesh.AdvanceAsync(TimeSpan.FromSeconds(2));
        _mesh.Network.Isolate(behind.EndPoint);

        await _mesh.UntilAsync(() => front.Mesh.Peers.Count == 0, "it is gone", TimeSpan.FromMinutes(2));

        await _mesh.UntilAsync(() => front.Log.OfType<PeerLeft>().Any(), "durable");
        front.Log.OfType<PeerUpdated>().ShouldHaveSingleItem().Kind.ShouldBe(PeerKind.Client);
        front.Log.OfType<CacheEntryEvicted>().ShouldBeEmpty();
        front.Journal.State.Cache.Entries.Keys.ShouldBe([behind.Id]);
    }

    [Fact]
    public async Task A_peer_that_restarts_on_a_new_port_replaces_its_silent_predecessor_within_two_seconds()
    {
        TestNode stays = await _mesh.StartAsync("10.0.0.1");
        TestNode old = await _mesh.StartAsync("10.0.0.2");
        await _mesh.RunAsync(old.ConnectAsync(stays));
        await _mesh.UntilAsync(() => stays.Mesh.Peers.Count == 1, "joined");
        string directory = CopyOf(old);
        // As a killed process: it sends nothing any more, not even a close.
        _mesh.Network.Isolate(old.EndPoint);
        TestNode again = await _mesh.StartAsync("10.0.0.2", directory: directory);
        again.Id.ShouldBe(old.Id);
        again.EndPoint.ShouldNotBe(old.EndPoint);
        TimeSpan began = _mesh.Clock.Elapsed;

        PeerInfo joined = await _mesh.RunAsync(again.ConnectAsync(stays));

        (_mesh.Clock.Elapsed - began).ShouldBeLessThan(TimeSpan.FromSeconds(2));
        joined.Peer.ShouldBe(stays.Id);
        await _mesh.UntilAsync(() => stays.Mesh.Peers is [{ } peer] && peer.Instance == again.Mesh.Instance, "the new instance is joined");
        await _mesh.UntilAsync(() => stays.Log.OfType<PeerLeft>().Any(), "durable");
        stays.Log.OfType<PeerLeft>().ShouldHaveSingleItem().Reason.ShouldBe(CloseReason.Replaced);
        stays.Mesh.Peers[0].Endpoints.ShouldBe([again.EndPoint]);
        await SendBothWaysAsync(stays, again, 1);
        Directory.Delete(directory, recursive: true);
    }

    [Fact]
    public async Task Of_two_live_processes_with_one_identity_the_second_is_refused_and_both_operators_are_told()
    {
        using var firstLog = new RecordingLogger();
        using var secondLog = new RecordingLogger();
        TestNode peer = await _mesh.StartAsync("10.0.0.1");
        TestNode first = await _mesh.StartAsync("10.0.0.2", services: s => s.AddSingleton<ILoggerFactory>(firstLog));
        await _mesh.RunAsync(first.ConnectAsync(peer));
        string directory = CopyOf(first);
        TestNode second = await _mesh.StartAsync("10.0.0.3", directory: directory, services: s => s.AddSingleton<ILoggerFactory>(secondLog));

        for (int i = 0; i < 3; i++)
        {
            MeshException error = await Should.ThrowAsync<MeshException>(() => _mesh.RunAsync(second.ConnectAsync(peer)));
            error.Error.ShouldBe(MeshError.DuplicateIdentity);
        }

        await _mesh.UntilAsync(() => firstLog.Lines.Any(line => line.Name == "DuplicateIdentity"), "the first operator is told");
        firstLog.Lines.Count(line => line is { Name: "DuplicateIdentity", Level: LogLevel.Warning }).ShouldBe(1);
        secondLog.Lines.Count(line => line is { Name: "RefusedAsDuplicate", Level: LogLevel.Warning }).ShouldBe(1);
        peer.Mesh.Peers.ShouldHaveSingleItem().Instance.ShouldBe(first.Mesh.Instance);
        await SendBothWaysAsync(peer, first, 1);
        Directory.Delete(directory, recursive: true);
    }

    [Fact]
    public async Task A_clone_that_claims_the_log_stops_the_original()
    {
        TestNode peer = await _mesh.StartAsync("10.0.0.1");
        TestNode original = await _mesh.StartAsync("10.0.0.2");
        string directory = CopyOf(original);
        TestNode clone = await _mesh.StartAsync("10.0.0.3", store: original.Store, directory: directory);
        clone.Mesh.NodeId.ShouldBe(original.Mesh.NodeId);

        // Its next event is one too many; how far the dial comes meanwhile is chance.
        Task connecting = ((Task)original.ConnectAsync(peer)).ContinueWith(_ => { }, TaskScheduler.Default);
        await _mesh.UntilAsync(() => original.Mesh.Failure is not null, "the original has lost its log");

        original.Mesh.Failure!.Error.ShouldBe(MeshError.EpochLost);
        clone.Mesh.Failure.ShouldBeNull();
        clone.Log.OfType<NodeStarted>().Count().ShouldBe(2);
        await _mesh.RunAsync(original.Mesh.StopAsync(CancellationToken.None));
        await connecting;
        Directory.Delete(directory, recursive: true);
    }

    [Fact]
    public async Task Connecting_and_disconnecting_at_once_ends_sound_on_both_sides()
    {
        TestNode a = await _mesh.StartAsync("10.0.0.1");
        TestNode b = await _mesh.StartAsync("10.0.0.2");
        var random = new Random(7);
        for (int round = 0; round < 40; round++)
        {
            TestNode[] sides = random.Next(2) == 0 ? [a, b] : [b, a];
            Task connecting = Quietly(sides[0].ConnectAsync(sides[1]));
            if (random.Next(2) == 0) connecting = Task.WhenAll(connecting, Quietly(sides[1].ConnectAsync(sides[0])));
            await _mesh.AdvanceAsync(TimeSpan.FromMilliseconds(random.Next(60)));
            Task leaving = Task.WhenAll(a.Mesh.DisconnectAsync(b.Id), b.Mesh.DisconnectAsync(a.Id));
            await _mesh.RunAsync(Task.WhenAll(connecting, leaving));
        }

        await _mesh.RunAsync(Task.WhenAll(a.Mesh.DisconnectAsync(b.Id), b.Mesh.DisconnectAsync(a.Id)));
        foreach (TestNode node in new[] { a, b })
        {
            await _mesh.UntilAsync(() => node.Mesh.Peers.Count == 0 && node.Journal.State.Connections.Open.IsEmpty, "nothing is left");
            node.Journal.State.Peers.Joined.ShouldBeEmpty();
        }
        await _mesh.RunAsync(a.ConnectAsync(b));
        await _mesh.UntilAsync(() => b.Mesh.Peers.Count == 1, "they can still join");
        await SendBothWaysAsync(a, b, 1);
    }

    public ValueTask DisposeAsync() => _mesh.DisposeAsync();

    /// <summary>Waits for the end; a refusal is one, a bug is not.</summary>
    private static async Task Quietly(Task task)
    {
        try
        {
            await task.ConfigureAwait(false);
        }
        catch (MeshException)
        {
            // The other side was faster.
        }
    }

    /// <summary>The folder of a second process: all but the lock.</summary>
    private static string CopyOf(TestNode node)
    {
        string copy = Directory.CreateTempSubdirectory("eventmesh-test-").FullName;
        foreach (string file in Directory.GetFiles(node.Directory).Where(f => Path.GetFileName(f) is "identity.key" or "identity.crt" or "node-id"))
            File.Copy(file, Path.Combine(copy, Path.GetFileName(file)));
        return copy;
    }

    private async Task SendBothWaysAsync(TestNode a, TestNode b, int count)
    {
        (await _mesh.RunAsync(a.Mesh.SendAsync(b.Id, Text("down")).AsTask())).IsSent.ShouldBeTrue();
        (await _mesh.RunAsync(b.Mesh.SendAsync(a.Id, Text("up")).AsTask())).IsSent.ShouldBeTrue();
        await _mesh.UntilAsync(() => a.Dispatcher.Messages.Count >= count && b.Dispatcher.Messages.Count >= count, "the messages have arrived");
    }

    private async Task<SendReceipt[]> SendForAsync(TestNode from, TestNode to, TimeSpan time)
    {
        List<SendReceipt> receipts = [];
        TimeSpan end = _mesh.Clock.Elapsed + time;
        while (_mesh.Clock.Elapsed < end)
        {
            receipts.Add(await from.Mesh.SendAsync(to.Id, Text("one of many")).ConfigureAwait(false));
            await Task.Delay(TimeSpan.FromMilliseconds(500), _mesh.Clock).ConfigureAwait(false);
        }
        return [.. receipts];
    }

    private static OutgoingMessage Text(string text) => new("chat", Encoding.UTF8.GetBytes(text));
}
