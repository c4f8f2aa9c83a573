using EventMesh.Adversary.Support;
using EventMesh.Events;
using EventMesh.Identity;
using EventMesh.Messaging;
using EventMesh.Wire;
using EventMesh.Wire.Frames;
using Shouldly;
using Xunit;

namespace EventMesh.Adversary.Attacks;

/// <summary>Pairs that are not what they claim: link ids, reverse connections, instances.</summary>
public sealed class LinkAttacks
{
    [Theory, OverEachTransport]
    public async Task A_reverse_hello_that_nobody_waits_for(string transport)
    {
        await using AttackRun run = await AttackRun.StartAsync(transport);
        HandDrivenConnection attacker = await run.DialAsync();
        Hello hello = attacker.Hello(Kind.Node);
        hello.Reverse = true;
        await attacker.SendAsync(FrameType.Hello, hello);

        (await attacker.ClosedWithAsync()).ShouldBe(WireCode.LinkUnknown);
        await run.EndAsync(maxEvents: 0);
    }

    [Theory, OverEachTransport]
    public async Task A_reverse_hello_that_names_anothers_link(string transport)
    {
        await using AttackRun run = await AttackRun.StartAsync(transport);
        HandDrivenPeer dialled = await run.StartPeerAsync();
        Task<PeerInfo> joining = run.Victim.Mesh.ConnectAsync(dialled.EndPoint);
        HandDrivenConnection first = await dialled.AcceptAsync();
        Hello victims = await first.NextAsync(FrameType.Hello, Hello.Parser);
        await first.SendAsync(FrameType.Hello, first.Hello(Kind.Node));
        await first.SendAsync(FrameType.HelloAck, new HelloAck());

        // Another identity has learned the link id and would be taken for the proof that the victim can be reached.
        HandDrivenConnection thief = await run.DialAsync();
        Hello stolen = thief.Hello(Kind.Node);
        stolen.Reverse = true;
        stolen.LinkId = victims.LinkId;
        await thief.SendAsync(FrameType.Hello, stolen);

        (await thief.ClosedWithAsync()).ShouldBe(WireCode.LinkUnknown);
        joining.IsCompleted.ShouldBeFalse();
        await first.CloseAsync();
        await Should.ThrowAsync<MeshException>(() => joining.WaitAsync(AttackRun.Limit));
        await run.EndAsync();
        run.Victim.Log.OfType<ReachabilityChanged>().Count().ShouldBeLessThanOrEqualTo(1);
    }

    [Theory, OverEachTransport]
    public async Task A_link_id_again_while_its_connection_stands_and_after_it(string transport)
    {
        await using AttackRun run = await AttackRun.StartAsync(transport);
        HandDrivenPeer peer = await run.StartPeerAsync();
        HandDrivenConnection first = await peer.DialAsync(run.Victim.EndPoint);
        Hello hello = first.Hello();
        await first.JoinAsync(hello);
        HandDrivenConnection second = await peer.DialAsync(run.Victim.EndPoint);
        await second.SendAsync(FrameType.Hello, hello);
        (await second.ClosedWithAsync()).ShouldBe(WireCode.AlreadyConnected);
        await first.CloseAsync();
        await run.WhenAsync(() => run.Sessions.Sessions().Length == 0, "the first has gone");

        HandDrivenConnection replayed = await peer.DialAsync(run.Victim.EndPoint);
        Hello reverse = hello.Clone();
        reverse.Reverse = true;
        await replayed.SendAsync(FrameType.Hello, reverse);

        (await replayed.ClosedWithAsync()).ShouldBe(WireCode.LinkUnknown);
        await run.EndAsync();
    }

    [Theory, OverEachTransport]
    public async Task Reverse_check_results_that_nobody_asked_for(string transport)
    {
        await using AttackRun run = await AttackRun.StartAsync(transport);
        HandDrivenConnection attacker = await run.JoinAsync();
        byte[] results = [.. Raw.Frame((ulong)FrameType.ReverseCheck, []), .. Raw.Frame((ulong)FrameType.ReverseCheck, [8, 10])];
        await attacker.SendRawAsync(Raw.Repeat(results, 1000));

        await ControlStreamAttacks.IsAliveAsync(attacker);
        await run.EndAsync();
        run.Victim.Journal.State.Node.Reachability.ShouldNotBe(Reachability.Unreachable);
    }

    [Theory, OverEachTransport]
    public async Task A_reverse_check_that_is_answered_with_silence(string transport)
    {
        await using AttackRun run = await AttackRun.StartAsync(transport);
        (HandDrivenConnection first, _) = await StartReverseCheckAsync(run);
        run.Clock.Skip(TimeSpan.FromSeconds(11));

        // It can't be reached: in effect it is a client.
        (await first.NextAsync(FrameType.ReverseCheck, ReverseCheck.Parser)).Code.ShouldBe((ulong)WireCode.ReverseCheckFailed);
        await run.WhenAsync(() => run.Victim.Mesh.Peers.Any(info => info.Kind == PeerKind.Client), "it joined as a client");
        run.Victim.Journal.State.Cache.Entries.ShouldBeEmpty();
        await run.EndAsync();
    }

    [Theory, OverEachTransport]
    public async Task A_reverse_check_that_another_instance_answers(string transport)
    {
        await using AttackRun run = await AttackRun.StartAsync(transport);
        (HandDrivenConnection first, HandDrivenConnection reverse) = await StartReverseCheckAsync(run);
        Hello other = reverse.Hello(Kind.Node);
        other.Instance = HandDrivenConnection.Bytes(Guid.NewGuid());
        await reverse.SendAsync(FrameType.Hello, other);
        await reverse.SendAsync(FrameType.HelloAck, new HelloAck());

        (await reverse.ClosedWithAsync()).ShouldBe(WireCode.ProtocolViolation);
        (await first.NextAsync(FrameType.ReverseCheck, ReverseCheck.Parser)).Code.ShouldBe((ulong)WireCode.ReverseCheckFailed);
        await run.EndAsync();
        run.Victim.Log.OfType<ReverseConnectivityConfirmed>().ShouldBeEmpty();
    }

    [Theory, OverEachTransport]
    public async Task One_identity_with_many_instances_at_once(string transport)
    {
        await using AttackRun run = await AttackRun.StartAsync(transport);
        HandDrivenPeer peer = await run.StartPeerAsync();
        HandDrivenConnection old = await peer.DialAsync(run.Victim.EndPoint);
        await old.JoinAsync();
        Task pongs = AnswerPingsAsync(old);
        List<HandDrivenConnection> others = [];
        for (int i = 0; i < 20; i++)
        {
            HandDrivenConnection other = await peer.DialAsync(run.Victim.EndPoint);
            others.Add(other);
            Hello hello = other.Hello();
            hello.Instance = HandDrivenConnection.Bytes(Guid.NewGuid());
            // More than eight connections of a peer are closed at once.
            await Should.NotThrowAsync(() => Quietly(other.SendAsync(FrameType.Hello, hello)));
        }

        run.Sessions.Sessions().Length.ShouldBe(1);
        List<WireCode?> codes = [];
        foreach (HandDrivenConnection other in others) codes.Add(await other.ClosedWithAsync());
        // On a machine that stands still for a second the old one looks silent, and one of them takes its place.
        codes.ShouldBeSubsetOf(
            [WireCode.DuplicateIdentity, WireCode.AlreadyConnected, WireCode.TooManyConnections, WireCode.HandshakeTimeout]);
        await run.EndAsync();
        await pongs;
    }

    private static async Task<(HandDrivenConnection First, HandDrivenConnection Reverse)> StartReverseCheckAsync(AttackRun run)
    {
        HandDrivenPeer peer = await run.StartPeerAsync();
        HandDrivenConnection first = await peer.DialAsync(run.Victim.EndPoint);
        await first.JoinAsync(first.Hello(Kind.Node));
        HandDrivenConnection reverse = await peer.AcceptAsync();
        (await reverse.NextAsync(FrameType.Hello, Hello.Parser)).Reverse.ShouldBeTrue();
        return (first, reverse);
    }

    private static async Task AnswerPingsAsync(HandDrivenConnection connection)
    {
        try
        {
            while (true)
            {
                (FrameType type, byte[] body) = await connection.NextAsync();
                if (type == FrameType.Ping) await connection.SendAsync(FrameType.Pong, new Pong { Nonce = Ping.Parser.ParseFrom(body).Nonce });
            }
        }
        catch (Exception e) when (e is MeshException or TimeoutException or System.Threading.Channels.ChannelClosedException)
        {
            // The connection has ended.
        }
    }

    private static async Task Quietly(Task task)
    {
        try
        {
            await task;
        }
        catch (MeshException)
        {
            // It was closed first.
        }
    }
}
