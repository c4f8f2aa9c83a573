using EventMesh.Adversary.Support;
using EventMesh.Transport;
using EventMesh.Wire;
using EventMesh.Wire.Frames;
using Shouldly;
using Xunit;

namespace EventMesh.Adversary.Attacks;

/// <summary>Control streams and the frames on them, from a peer that has joined.</summary>
public sealed class ControlStreamAttacks
{
    [Theory, OverEachTransport]
    public async Task A_frame_of_an_unknown_odd_type(string transport) => await IsViolationAsync(transport, Raw.Frame(33, [1, 2, 3]));

    [Theory, OverEachTransport]
    public async Task A_frame_of_an_unknown_even_type_below_32(string transport) => await IsViolationAsync(transport, Raw.Frame(30, []));

    [Theory, OverEachTransport]
    public async Task A_frame_of_type_0(string transport) => await IsViolationAsync(transport, Raw.Frame(0, []));

    [Theory, OverEachTransport]
    public async Task A_message_on_the_control_stream(string transport) =>
        await IsViolationAsync(transport, Raw.Frame((ulong)FrameType.Message, [0]));

    [Theory, OverEachTransport]
    public async Task A_frame_length_of_2_to_the_62_less_1(string transport) =>
        await IsViolationAsync(transport, Raw.Head((ulong)FrameType.Ping, VarInt.MaxValue));

    [Theory, OverEachTransport]
    public async Task A_control_frame_of_16_KiB_and_a_byte(string transport) =>
        await IsViolationAsync(transport, Raw.Frame(34, new byte[WireLimits.ControlFrame + 1]));

    [Theory, OverEachTransport]
    public async Task A_body_that_is_no_protobuf(string transport) =>
        await IsViolationAsync(transport, Raw.Frame((ulong)FrameType.Peers, [0x0a, 0x7f, 0x01]));

    [Theory, OverEachTransport]
    public async Task A_control_stream_that_ends_within_a_varint(string transport) => await IsViolationAsync(transport, [0xc0, 0x00], end: true);

    [Theory, OverEachTransport]
    public async Task A_control_stream_that_ends_within_a_frame(string transport) =>
        await IsViolationAsync(transport, Raw.Head((ulong)FrameType.Ping, 100), end: true);

    [Theory, OverEachTransport]
    public async Task A_control_stream_that_ends(string transport) => await IsViolationAsync(transport, [], end: true);

    [Theory, OverEachTransport]
    public async Task A_control_stream_that_is_reset(string transport)
    {
        await using AttackRun run = await AttackRun.StartAsync(transport);
        HandDrivenConnection attacker = await run.JoinAsync();
        attacker.ResetControl();

        (await attacker.ClosedWithAsync()).ShouldBe(WireCode.ProtocolViolation);
        await run.EndAsync();
    }

    [Theory, OverEachTransport]
    public async Task Two_control_streams(string transport)
    {
        await using AttackRun run = await AttackRun.StartAsync(transport);
        HandDrivenConnection attacker = await run.JoinAsync();
        await attacker.OpenAsync(StreamDirection.Unidirectional, new[] { (byte)StreamType.Control });

        (await attacker.ClosedWithAsync()).ShouldBe(WireCode.ProtocolViolation);
        await run.EndAsync();
    }

    [Theory, OverEachTransport]
    public async Task A_bidirectional_control_stream(string transport)
    {
        await using AttackRun run = await AttackRun.StartAsync(transport);
        HandDrivenConnection attacker = await run.JoinAsync();
        ITransportStream stream = await attacker.OpenAsync(StreamDirection.Bidirectional, new[] { (byte)StreamType.Control });

        await StreamAttacks.IsRefusedAsync(stream, WireCode.UnknownStreamType);
        await IsAliveAsync(attacker);
        await run.EndAsync();
    }

    [Theory, OverEachTransport]
    public async Task A_hundred_thousand_empty_optional_frames(string transport) => await IsHarmlessAsync(transport, Raw.Frame(34, []), 100_000);

    [Theory, OverEachTransport]
    public async Task A_flood_of_pongs_without_a_ping(string transport) =>
        await IsHarmlessAsync(transport, Raw.Frame((ulong)FrameType.Pong, [8, 1]), 20_000);

    [Theory, OverEachTransport]
    public async Task A_flood_of_notices(string transport)
    {
        await using AttackRun run = await AttackRun.StartAsync(transport);
        HandDrivenConnection attacker = await run.JoinAsync();
        await FloodAsync(attacker, Raw.Frame((ulong)FrameType.Notice, [8, (byte)WireCode.DuplicateIdentity]), 20_000);

        await IsAliveAsync(attacker);
        // One of them is a warning for the operator; twenty thousand would fill the disk.
        await run.EndAsync();
    }

    [Theory, OverEachTransport]
    public async Task A_flood_of_outcomes_for_messages_that_were_never_sent(string transport) =>
        await IsHarmlessAsync(transport, Raw.Frame((ulong)FrameType.Outcome, [8, 99, 16, 19]), 20_000);

    [Theory, OverEachTransport]
    public async Task A_flood_of_requests_for_peers_is_answered_once_a_second(string transport)
    {
        await using AttackRun run = await AttackRun.StartAsync(transport);
        HandDrivenConnection attacker = await run.JoinAsync();
        await FloodAsync(attacker, Raw.Frame((ulong)FrameType.PeersRequest, [8, 32]), 10_000);

        await IsAliveAsync(attacker);
        attacker.Seen.Count(type => type == FrameType.Peers).ShouldBeLessThan(60);
        await run.EndAsync();
    }

    [Theory, OverEachTransport]
    public async Task A_flood_of_pings_whose_sender_reads_the_answers(string transport)
    {
        await using AttackRun run = await AttackRun.StartAsync(transport);
        HandDrivenConnection attacker = await run.JoinAsync();
        await FloodAsync(attacker, Raw.Frame((ulong)FrameType.Ping, [8, 1]), 10_000);

        await IsAliveAsync(attacker);
        await run.EndAsync();
    }

    [Theory, OverEachTransport]
    public async Task A_flood_of_pings_whose_sender_never_reads_the_answers(string transport)
    {
        await using AttackRun run = await AttackRun.StartAsync(transport);
        HandDrivenPeer peer = await run.StartPeerAsync(window: 4096);
        HandDrivenConnection deaf = await peer.DialAsync(run.Victim.EndPoint, reads: false);
        await deaf.SendAsync(FrameType.Hello, deaf.Hello());
        await deaf.SendAsync(FrameType.HelloAck, new HelloAck());
        await run.WhenAsync(() => run.Victim.Mesh.Peers.Count == 1, "the attacker joined");
        // Their answers are more than the window and the victim's buffer hold.
        byte[] ping = Raw.Frame((ulong)FrameType.Ping, [8, 255, 255, 255, 255, 255, 255, 255, 255, 255, 1]);
        Task flood = FloodAsync(deaf, ping, 150_000);
        await run.ExchangeAsync();
        await run.SkipUntilAsync(deaf.Transport.Closed);

        (await deaf.ClosedWithAsync()).ShouldBe(WireCode.ProtocolViolation);
        await flood;
        await run.EndAsync(maxEvents: 40);
    }

    [Theory, OverEachTransport]
    public async Task A_goodbye_again_and_again_without_an_end(string transport)
    {
        await using AttackRun run = await AttackRun.StartAsync(transport);
        HandDrivenConnection attacker = await run.JoinAsync();
        await FloodAsync(attacker, Raw.Frame((ulong)FrameType.Goodbye, [8, 1]), 10_000);
        await attacker.SendAsync(FrameType.Ping, new Ping { Nonce = 7 });
        await attacker.NextAsync(FrameType.Pong, Pong.Parser);
        await run.SkipUntilAsync(attacker.Transport.Closed);

        // Who says goodbye takes no more messages: it must not hold the place of a peer who would.
        (await attacker.ClosedWithAsync()).ShouldBe(WireCode.Disconnected);
        await run.EndAsync();
    }

    /// <summary>The connection still works.</summary>
    internal static async Task IsAliveAsync(HandDrivenConnection attacker)
    {
        await attacker.SendAsync(FrameType.Ping, new Ping { Nonce = 4711 });
        while ((await attacker.NextAsync(FrameType.Pong, Pong.Parser)).Nonce != 4711)
        {
        }
    }

    private static async Task FloodAsync(HandDrivenConnection attacker, byte[] frame, int count)
    {
        const int Piece = 1000;
        byte[] piece = Raw.Repeat(frame, Piece);
        try
        {
            for (int sent = 0; sent < count; sent += Piece) await attacker.SendRawAsync(piece);
        }
        catch (MeshException)
        {
            // The victim had enough.
        }
    }

    private static async Task IsHarmlessAsync(string transport, byte[] frame, int count)
    {
        await using AttackRun run = await AttackRun.StartAsync(transport);
        HandDrivenConnection attacker = await run.JoinAsync();
        await FloodAsync(attacker, frame, count);

        await IsAliveAsync(attacker);
        await run.EndAsync();
    }

    private static async Task IsViolationAsync(string transport, byte[] bytes, bool end = false)
    {
        await using AttackRun run = await AttackRun.StartAsync(transport);
        HandDrivenConnection attacker = await run.JoinAsync();
        await attacker.SendRawAsync(bytes, end);

        (await attacker.ClosedWithAsync()).ShouldBe(WireCode.ProtocolViolation);
        await run.EndAsync();
    }
}
