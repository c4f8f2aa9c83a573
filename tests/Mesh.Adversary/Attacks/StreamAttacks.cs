using EventMesh.Adversary.Support;
using EventMesh.Transport;
using EventMesh.Wire;
using EventMesh.Wire.Frames;
using Shouldly;
using Xunit;

namespace EventMesh.Adversary.Attacks;

/// <summary>Streams of no use, many of them, and connections of no use.</summary>
public sealed class StreamAttacks
{
    [Theory, OverEachTransport]
    public async Task Streams_of_unknown_types(string transport)
    {
        await using AttackRun run = await AttackRun.StartAsync(transport);
        HandDrivenConnection attacker = await run.JoinAsync();
        foreach (ulong type in new ulong[] { 5, 6, 63, 16_383, VarInt.MaxValue })
        {
            ITransportStream one = await attacker.OpenAsync(StreamDirection.Unidirectional, Raw.VarInt(type));
            await IsRefusedAsync(one, WireCode.UnknownStreamType);
            ITransportStream both = await attacker.OpenAsync(StreamDirection.Bidirectional, Raw.VarInt(type));
            await IsRefusedAsync(both, WireCode.UnknownStreamType);
        }

        await ControlStreamAttacks.IsAliveAsync(attacker);
        await run.EndAsync();
    }

    [Theory, OverEachTransport]
    public async Task A_message_stream_in_both_directions_and_a_request_stream_in_one(string transport)
    {
        await using AttackRun run = await AttackRun.StartAsync(transport);
        HandDrivenConnection attacker = await run.JoinAsync();
        ITransportStream message = await attacker.OpenAsync(StreamDirection.Bidirectional, new[] { (byte)StreamType.Messages });
        ITransportStream request = await attacker.OpenAsync(StreamDirection.Unidirectional, new[] { (byte)StreamType.Request });

        await IsRefusedAsync(message, WireCode.UnknownStreamType);
        await IsRefusedAsync(request, WireCode.UnknownStreamType);
        await ControlStreamAttacks.IsAliveAsync(attacker);
        await run.EndAsync();
    }

    [Theory, OverEachTransport]
    public async Task A_stream_that_ends_within_its_type(string transport)
    {
        await using AttackRun run = await AttackRun.StartAsync(transport);
        HandDrivenConnection attacker = await run.JoinAsync();
        await attacker.OpenAsync(StreamDirection.Unidirectional, new byte[] { 0x40 }, end: true);

        (await attacker.ClosedWithAsync()).ShouldBe(WireCode.ProtocolViolation);
        await run.EndAsync();
    }

    [Theory, OverEachTransport]
    public async Task Two_thousand_streams_that_end_without_a_byte(string transport)
    {
        await using AttackRun run = await AttackRun.StartAsync(transport);
        HandDrivenConnection attacker = await run.JoinAsync();
        for (int i = 0; i < 2000; i++)
        {
            await using ITransportStream stream = await attacker.OpenAsync(StreamDirection.Unidirectional, default, end: true);
        }

        await ControlStreamAttacks.IsAliveAsync(attacker);
        await run.EndAsync();
    }

    [Theory, OverEachTransport]
    public async Task Ten_thousand_streams_without_a_byte(string transport)
    {
        await using AttackRun run = await AttackRun.StartAsync(transport);
        HandDrivenConnection attacker = await run.JoinAsync();
        List<Task<ITransportStream>> opening = [];
        for (int i = 0; i < 10_000; i++)
        {
            StreamDirection direction = i % 2 == 0 ? StreamDirection.Unidirectional : StreamDirection.Bidirectional;
            opening.Add(attacker.Transport.OpenStreamAsync(direction, CancellationToken.None).AsTask());
        }

        // The stream limit holds: the control stream is one of the victim's 256.
        opening.Count(task => task.IsCompletedSuccessfully).ShouldBeLessThanOrEqualTo(512);
        await run.ExchangeAsync();
        await ControlStreamAttacks.IsAliveAsync(attacker);
        await attacker.CloseAsync();
        // Those that waited for credit learn of the end.
        await Should.ThrowAsync<MeshException>(() => Task.WhenAll(opening).WaitAsync(AttackRun.Limit));
        await run.EndAsync(maxEvents: 40);
    }

    [Theory, OverEachTransport]
    public async Task Streams_that_send_a_byte_and_stall(string transport)
    {
        await using AttackRun run = await AttackRun.StartAsync(transport);
        HandDrivenConnection attacker = await run.JoinAsync();
        byte[][] beginnings = [[(byte)StreamType.Messages], [(byte)StreamType.LargeMessage], [0x40]];
        for (int i = 0; i < 255; i++) await attacker.OpenAsync(StreamDirection.Unidirectional, beginnings[i % beginnings.Length]);
        for (int i = 0; i < 256; i++) await attacker.OpenAsync(StreamDirection.Bidirectional, new[] { (byte)StreamType.Request });

        await ControlStreamAttacks.IsAliveAsync(attacker);
        await run.WhenHeldBelowAsync(16 * 1024 * 1024);
        await run.EndAsync();
    }

    [Theory, OverEachTransport]
    public async Task Two_thousand_streams_that_are_reset_at_once(string transport)
    {
        await using AttackRun run = await AttackRun.StartAsync(transport);
        HandDrivenConnection attacker = await run.JoinAsync();
        for (int i = 0; i < 2000; i++)
        {
            await using ITransportStream stream = await attacker.OpenAsync(StreamDirection.Unidirectional, new[] { (byte)StreamType.Messages });
            stream.Reset((ulong)WireCode.Cancelled);
        }

        await ControlStreamAttacks.IsAliveAsync(attacker);
        await run.EndAsync();
    }

    // Real QUIC providers grant at least one.
    [Theory, InlineData(OverEachTransportAttribute.InMemory)]
    public async Task A_peer_that_grants_no_streams(string transport)
    {
        await using AttackRun run = await AttackRun.StartAsync(transport);
        HandDrivenPeer peer = await run.StartPeerAsync(streams: 0);
        HandDrivenConnection mute = await peer.DialAsync(run.Victim.EndPoint);
        await mute.SendAsync(FrameType.Hello, mute.Hello());
        await run.PassHandshakeTimeAsync(sessions: 1);
        await run.SkipUntilAsync(mute.Transport.Closed);

        await run.EndAsync(maxEvents: 0);
    }

    /// <summary>The victim stops or resets a stream with a code.</summary>
    internal static async Task IsRefusedAsync(ITransportStream stream, WireCode code)
    {
        var refusal = await Should.ThrowAsync<MeshException>(async () =>
        {
            while (true)
            {
                await HandDrivenConnection.WriteAsync(stream, new byte[1]);
                await Task.Yield();
            }
        });
        refusal.RemoteCode.ShouldBe((ulong)code);
        await stream.DisposeAsync();
    }
}
