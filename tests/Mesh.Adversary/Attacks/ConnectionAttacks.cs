using EventMesh.Adversary.Support;
using EventMesh.Events;
using EventMesh.Wire;
using EventMesh.Wire.Frames;
using Shouldly;
using Xunit;

namespace EventMesh.Adversary.Attacks;

/// <summary>Connections in numbers.</summary>
public sealed class ConnectionAttacks
{
    [Theory, OverEachTransport]
    public async Task Slow_handshakes_of_many_identities(string transport)
    {
        await using AttackRun run = await AttackRun.StartAsync(transport);
        List<HandDrivenConnection> slow = [];
        for (int i = 0; i < 40; i++) slow.Add(await run.DialAsync());
        // Half of them trickle their Hello in, a byte now and then.
        foreach (HandDrivenConnection half in slow.Take(20)) await half.SendRawAsync(Raw.Head((ulong)FrameType.Hello, 100));
        await run.ExchangeAsync();
        await run.PassHandshakeTimeAsync(sessions: 40);

        foreach (HandDrivenConnection connection in slow) (await connection.ClosedWithAsync()).ShouldBe(WireCode.HandshakeTimeout);
        await run.WhenAsync(() => run.Sessions.Sessions().Length == 0, "their places are free again");
        // A line for each offence.
        await run.EndAsync(maxEvents: 20, maxShown: 80);
    }

    [Theory, OverEachTransport]
    public async Task Connections_that_open_and_close_in_a_loop_without_a_word(string transport)
    {
        await using AttackRun run = await AttackRun.StartAsync(transport);
        HandDrivenPeer peer = await run.StartPeerAsync();
        for (int i = 0; i < 200; i++)
        {
            HandDrivenConnection connection = await peer.DialAsync(run.Victim.EndPoint);
            await connection.CloseAsync();
        }

        // Strangers do not write into the log.
        await run.EndAsync(maxEvents: 2);
    }

    [Theory, OverEachTransport]
    public async Task A_peer_that_joins_and_leaves_in_a_loop(string transport)
    {
        await using AttackRun run = await AttackRun.StartAsync(transport);
        HandDrivenPeer peer = await run.StartPeerAsync();
        const int Rounds = 30;
        for (int i = 0; i < Rounds; i++)
        {
            HandDrivenConnection connection = await peer.DialAsync(run.Victim.EndPoint);
            try
            {
                await connection.JoinAsync();
                await connection.CloseAsync();
            }
            catch (Exception e) when (e is MeshException or InvalidOperationException or System.Threading.Channels.ChannelClosedException)
            {
                // Refused: it came too soon after the last.
            }
        }

        // Opened, joined, left and closed: four events a round at most, and the first one's certificate.
        await run.EndAsync(maxEvents: (4 * Rounds) + 4, maxShown: 40 + (2 * Rounds));
        run.Victim.Log.OfType<PeerJoined>().Count(e => e.Peer == peer.Id).ShouldBeLessThanOrEqualTo(Rounds);
    }

    [Theory, OverEachTransport]
    public async Task New_keys_without_end_that_join_and_leave(string transport)
    {
        const int PerMinute = 10;
        await using AttackRun run = await AttackRun.StartAsync(transport, o => o.Journal.NewPeersPerMinute = PerMinute);
        long started = run.Clock.GetTimestamp();
        for (int i = 0; i < 60; i++)
        {
            HandDrivenPeer peer = await run.StartPeerAsync();
            HandDrivenConnection connection = await peer.DialAsync(run.Victim.EndPoint);
            await connection.JoinAsync();
            await run.WhenAsync(() => run.Victim.Mesh.Peers.Any(info => info.Peer == peer.Id), "it has joined as any other");
            await connection.CloseAsync();
            await run.WhenGoneAsync(peer, i);
        }

        run.Clock.Skip(TimeSpan.FromSeconds(11));
        await run.WhenAsync(() => run.Victim.Log.OfType<ConnectionsSummarised>().Any(), "they are counted");

        // By the clock: the machine may stand still for minutes. Each recorded one is five events, and there are six summaries a minute.
        int minutes = 1 + (int)run.Clock.GetElapsedTime(started).TotalMinutes;
        await run.EndAsync(maxEvents: (minutes + 1) * ((5 * PerMinute) + 6), maxShown: 160);
    }

    [Theory, OverEachTransport]
    public async Task More_connections_of_one_peer_than_a_pair_needs(string transport)
    {
        await using AttackRun run = await AttackRun.StartAsync(transport);
        HandDrivenPeer peer = await run.StartPeerAsync();
        List<HandDrivenConnection> connections = [];
        for (int i = 0; i < 60; i++) connections.Add(await peer.DialAsync(run.Victim.EndPoint));
        await run.WhenAsync(() => connections.Count(c => c.Transport.Closed.IsCompleted) >= 52, "all but eight are closed");

        run.Sessions.Sessions().Length.ShouldBe(1);
        run.Sessions.Sessions()[0].ConnectionCount.ShouldBeLessThanOrEqualTo(8);
        await run.EndAsync(maxEvents: 2);
    }

    [Theory, OverEachTransport]
    public async Task A_connection_that_closes_with_the_largest_code(string transport)
    {
        await using AttackRun run = await AttackRun.StartAsync(transport);
        HandDrivenConnection attacker = await run.JoinAsync();
        await attacker.CloseAsync((WireCode)VarInt.MaxValue);

        await run.EndAsync();
        run.Victim.Log.OfType<ConnectionClosed>().Select(e => e.Reason).ShouldContain(CloseReason.Remote);
    }
}
