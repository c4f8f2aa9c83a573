using System.Diagnostics;
using EventMesh.Events;
using EventMesh.Identity;
using EventMesh.Messaging;
using EventMesh.Tests.Common.Nodes;
using EventMesh.Transport;
using EventMesh.Transport.InMemory;
using EventMesh.Wire;
using EventMesh.Wire.Frames;
using Shouldly;
using Xunit;

namespace EventMesh.Simulation;

/// <summary>Peers that do not keep their side of the protocol; each of these has once held up or filled a node.</summary>
public sealed class BadPeerTests : IAsyncDisposable
{
    private readonly VirtualMesh _mesh = new();

    [Fact]
    public async Task A_peer_that_does_not_read_its_control_stream_is_closed_after_the_handshake_time_and_holds_up_nobody()
    {
        // Without the limit on the rate of control frames, which would close it sooner.
        TestNode node = await _mesh.StartAsync("10.0.0.1", o => o.Limits.ControlFramesPerSecondPerPeer = o.Limits.ControlFrameBurstPerPeer = 1_000_000);
        TestNode other = await _mesh.StartAsync("10.0.0.2");
        await _mesh.RunAsync(other.ConnectAsync(node));
        await using RawPeer peer = await JoinAsync(node, readsControl: false);

        // Each is answered: 4 MiB of answers fit neither its window nor our buffer.
        Task pinging = SendUntilClosedAsync(peer, FrameType.Ping, new Ping { Nonce = ulong.MaxValue });

        await _mesh.UntilAsync(() => node.Mesh.Peers.Count == 1, "it is gone", TimeSpan.FromMinutes(2));
        await _mesh.RunAsync(pinging, TimeSpan.FromMinutes(2));
        TransportCloseInfo info = await _mesh.RunAsync(peer.Connection.Closed);
        ((WireCode?)info.ApplicationCode).ShouldBe(WireCode.ProtocolViolation);
        (await _mesh.RunAsync(other.Mesh.SendAsync(node.Id, new("x", default)).AsTask())).IsSent.ShouldBeTrue();
    }

    [Fact]
    public async Task A_peer_that_asks_for_outcomes_and_does_not_read_them_is_closed()
    {
        TestNode node = await _mesh.StartAsync("10.0.0.1");
        await using RawPeer peer = await JoinAsync(node, readsControl: false);

        Task flood = FloodAsync(peer);

        TransportCloseInfo info = await _mesh.RunAsync(peer.Connection.Closed, TimeSpan.FromMinutes(5));
        ((WireCode?)info.ApplicationCode).ShouldBe(WireCode.ProtocolViolation);
        await _mesh.RunAsync(flood);
        await _mesh.UntilAsync(() => node.Journal.State.Connections.Open.IsEmpty, "its end is recorded");

        static async Task FloodAsync(RawPeer peer)
        {
            try
            {
                for (ulong sequence = 1; ; sequence += 1_000) await peer.SendMessagesAsync(1_000, sequence, wantsOutcome: true).ConfigureAwait(false);
            }
            catch (MeshException)
            {
                // Closed, as it should be.
            }
        }
    }

    [Fact]
    public async Task Of_the_large_messages_that_a_peer_begins_four_are_collected_and_the_rest_waits_unread()
    {
        TestNode node = await _mesh.StartAsync("10.0.0.1");
        await using RawPeer peer = await JoinAsync(node);
        const int part = 6 * 1024 * 1024;

        // More than a stream's window and the sender's buffer hold, so that an unread one can't be written.
        Task[] writes = [.. Enumerable.Range(0, 8).Select(_ => peer.SendPartOfLargeAsync(announced: 8 * 1024 * 1024, part))];
        await _mesh.AdvanceAsync(TimeSpan.FromSeconds(20));

        writes.Count(write => write.IsCompletedSuccessfully).ShouldBe(4);
        writes.Count(write => write.IsCompleted).ShouldBe(4);
        node.Mesh.Peers.Count.ShouldBe(1, "small messages and control frames go on");
        await peer.SendMessagesAsync(1, 1, wantsOutcome: true).WaitAsync(TimeSpan.FromMinutes(2));
        await _mesh.UntilAsync(() => node.Dispatcher.Messages.Count == 1, "the small one has arrived");
    }

    [Fact]
    public async Task A_request_for_peers_that_comes_before_the_join_is_answered_after_it()
    {
        TestNode node = await _mesh.StartAsync("10.0.0.1");
        TestNode other = await _mesh.StartAsync("10.0.0.2");
        await _mesh.RunAsync(other.ConnectAsync(node));
        // It calls itself a node and can't be dialled: the join takes as long as the check.
        await using RawPeer peer = await JoinAsync(node, kind: Kind.Node);

        await _mesh.RunAsync(peer.SendAsync(FrameType.PeersRequest, new PeersRequest { Max = 8 }));
        await _mesh.AdvanceAsync(TimeSpan.FromSeconds(1));
        peer.Frames.ShouldNotContain(frame => frame.Type == FrameType.Peers);
        await _mesh.UntilAsync(() => peer.Frames.Any(frame => frame.Type == FrameType.Peers), "it is answered", TimeSpan.FromSeconds(30));

        peer.Frames.Select(frame => frame.Type).ShouldContain(FrameType.ReverseCheck);
        Peers.Parser.ParseFrom(peer.Frames.First(frame => frame.Type == FrameType.Peers).Body.Span).Peers_.Count.ShouldBe(1);
    }

    [Fact]
    public async Task Messages_that_come_before_the_pair_stands_wait_within_the_limit_of_streams()
    {
        TestNode node = await _mesh.StartAsync("10.0.0.1");
        await using RawPeer peer = await JoinAsync(node, kind: Kind.Node);

        Task[] sends = [.. Enumerable.Range(0, 1_000).Select(i => peer.SendMessagesAsync(1, (ulong)i + 1, wantsOutcome: false))];
        await _mesh.AdvanceAsync(TimeSpan.FromSeconds(5));

        node.Dispatcher.Messages.ShouldBeEmpty("the check is still under way");
        node.Mesh.Peers.ShouldBeEmpty();
        // 256 streams are looked at, the control stream among them, and as many may be open unread.
        sends.Count(send => send.IsCompleted).ShouldBeInRange(255, 512);
        await _mesh.UntilAsync(() => node.Dispatcher.Messages.Count == 1_000, "all arrive with the join", TimeSpan.FromSeconds(30));
        node.Mesh.Peers.ShouldHaveSingleItem().Kind.ShouldBe(PeerKind.Client);
    }

    [Fact]
    public async Task A_peer_that_joins_and_drops_us_again_and_again_is_dialled_ever_more_rarely()
    {
        // By the system's clock: a lower bound of time holds on a slow machine too.
        var network = new InMemoryNetwork();
        await using RawPeer contact = await RawPeer.BindAsync(network, "10.0.0.9");
        await using TestNode node = await TestNode.StartAsync(new InMemoryTransportProvider(network), o =>
        {
            o.Kind = PeerKind.Client;
            o.Contacts = [contact.EndPoint.ToString()];
            o.Bootstrap.RetryDelay = TimeSpan.FromMilliseconds(200);
        });
        long? first = null;
        for (int join = 1; join <= 4; join++)
        {
            await contact.AcceptAsync().WaitAsync(TimeSpan.FromMinutes(2));
            first ??= Stopwatch.GetTimestamp();
            await node.WhenAsync(n => n.Log.OfType<PeerJoined>().Count() == join, "joined", TimeSpan.FromSeconds(60));
            // As when the connection breaks: a deliberate close is not answered with a dial anyway.
            await contact.Connection.CloseAsync((ulong)WireCode.PairIncomplete);
        }

        // 200, 400 and 800 ms, each up to 20 % shorter.
        Stopwatch.GetElapsedTime(first!.Value).ShouldBeGreaterThan(TimeSpan.FromMilliseconds(1_100));
    }

    [Fact]
    public async Task A_dial_that_crosses_one_of_the_peers_waits_for_it_and_tries_again()
    {
        TestNode node = await _mesh.StartAsync("10.0.0.1", o => o.Kind = PeerKind.Client);
        await using RawPeer peer = await _mesh.RunAsync(RawPeer.BindAsync(_mesh.Network, "10.0.0.9"));
        Task<PeerInfo> dial = Task.Run(() => node.Mesh.ConnectAsync(peer.EndPoint));

        for (int i = 0; i < 5; i++) await _mesh.RunAsync(peer.RefuseAsync(WireCode.SimultaneousDial));
        await _mesh.RunAsync(peer.AcceptAsync());

        (await _mesh.RunAsync(dial)).Remote.ShouldBe(peer.EndPoint);
    }

    [Fact]
    public async Task A_peer_that_always_claims_that_its_own_dial_crosses_ours_is_given_up()
    {
        TestNode node = await _mesh.StartAsync("10.0.0.1", o => o.Kind = PeerKind.Client);
        await using RawPeer peer = await _mesh.RunAsync(RawPeer.BindAsync(_mesh.Network, "10.0.0.9"));
        int refused = 0;
        Task refusing = Task.Run(async () =>
        {
            while (true)
            {
                await peer.RefuseAsync(WireCode.SimultaneousDial);
                refused++;
            }
        });

        Task<PeerInfo> dial = Task.Run(() => node.Mesh.ConnectAsync(peer.EndPoint));

        (await Should.ThrowAsync<MeshException>(() => _mesh.RunAsync(dial))).Error.ShouldBe(MeshError.ConnectionLost);
        refused.ShouldBeInRange(5, 11);
        node.Log.OfType<DialFailed>().Count().ShouldBeLessThanOrEqualTo(1, "one dial, not one for each try");
        refusing.IsCompleted.ShouldBeFalse();
    }

    [Fact]
    public async Task A_peer_that_asks_for_checks_without_end_is_dialled_once()
    {
        TestNode node = await _mesh.StartAsync("10.0.0.1");
        await using RawPeer peer = await JoinAsync(node, kind: Kind.Node);
        await _mesh.UntilAsync(() => node.Mesh.Peers.Count == 1, "joined as a client", TimeSpan.FromSeconds(30));

        for (int i = 0; i < 100; i++)
        {
            var again = new KindChanged { Kind = Kind.Node, LinkId = Google.Protobuf.ByteString.CopyFrom(Guid.NewGuid().ToByteArray()) };
            again.Listen.Add(EndpointCodec.ToFrame(new(peer.EndPoint.Address, 1_000 + i)));
            await _mesh.RunAsync(peer.SendAsync(FrameType.KindChanged, again));
        }
        await _mesh.UntilAsync(() => peer.Frames.Count(f => f.Type == FrameType.ReverseCheck) >= 101, "each is answered", TimeSpan.FromMinutes(1));

        peer.Frames.Where(f => f.Type == FrameType.ReverseCheck).Select(f => (WireCode)ReverseCheck.Parser.ParseFrom(f.Body.Span).Code)
            .ShouldBe([WireCode.ReverseCheckFailed, .. Enumerable.Repeat(WireCode.CheckedRecently, 100)]);
        node.Log.OfType<ReverseConnectivityFailed>().Count().ShouldBe(1);
    }

    public ValueTask DisposeAsync() => _mesh.DisposeAsync();

    private async Task<RawPeer> JoinAsync(TestNode node, Kind kind = Kind.Client, bool readsControl = true)
    {
        RawPeer peer = await _mesh.RunAsync(RawPeer.BindAsync(_mesh.Network, "10.0.0.9"));
        await _mesh.RunAsync(peer.JoinAsync(node, kind, readsControl));
        if (kind == Kind.Client) await _mesh.UntilAsync(() => node.Mesh.Peers.Any(p => p.Kind == PeerKind.Client), "joined");
        return peer;
    }

    private static async Task SendUntilClosedAsync(RawPeer peer, FrameType type, Google.Protobuf.IMessage body)
    {
        try
        {
            while (true) await peer.SendAsync(type, body).ConfigureAwait(false);
        }
        catch (MeshException)
        {
            // Closed, as it should be.
        }
    }
}
