using System.Buffers;
using System.Globalization;
using EventMesh.Adversary.Support;
using EventMesh.Transport;
using EventMesh.Wire;
using EventMesh.Wire.Frames;
using Xunit;

namespace EventMesh.Adversary.Fuzzing;

/// <summary>Mutated streams into a whole node: what the decoders let through meets the session behind them.</summary>
public sealed class LiveNodeFuzzing
{
    private const ulong Seed = 20_261_122;

    [Fact]
    public async Task Mutated_control_streams_before_the_acceptance()
    {
        await using AttackRun run = await AttackRun.StartAsync(OverEachTransportAttribute.InMemory);
        var mutator = new Mutator([Control(withVerdict: false), Control(withVerdict: true)], Seed);
        HandDrivenPeer peer = await run.StartPeerAsync();
        int rounds = Rounds(150);
        for (int i = 0; i < rounds; i++)
        {
            HandDrivenConnection connection = await peer.DialAsync(run.Victim.EndPoint);
            await WriteAsync(connection, StreamDirection.Unidirectional, mutator.Make(i).ToArray());
            // Its answer, if it has one, or the end of what it will read.
            await WriteAsync(connection, StreamDirection.Unidirectional, [0x40]);
            await connection.CloseAsync();
            await run.WhenGoneAsync(peer, i);
        }
        // Some are valid, and are joins: four events each and the certificate's.
        await run.EndAsync(maxEvents: 5 * rounds, maxShown: 40 + (4 * rounds));
    }

    [Fact]
    public async Task Mutated_frames_after_the_acceptance()
    {
        await using AttackRun run = await AttackRun.StartAsync(OverEachTransportAttribute.InMemory);
        var mutator = new Mutator(Frames(), Seed);
        HandDrivenPeer peer = await run.StartPeerAsync();
        int rounds = Rounds(100);
        for (int i = 0; i < rounds; i++)
        {
            HandDrivenConnection connection = await peer.DialAsync(run.Victim.EndPoint);
            await connection.JoinAsync();
            try
            {
                for (int frame = 0; frame < 20; frame++) await connection.SendRawAsync(mutator.Make((i * 20) + frame).ToArray());
            }
            catch (MeshException)
            {
                // The victim had enough.
            }
            await connection.CloseAsync();
            await run.WhenGoneAsync(peer, i);
        }
        await run.EndAsync(maxEvents: 5 * rounds, maxShown: 40 + (4 * rounds));
    }

    [Fact]
    public async Task Mutated_message_and_request_streams()
    {
        await using AttackRun run = await AttackRun.StartAsync(OverEachTransportAttribute.InMemory);
        var messages = new Mutator([Messages.Stream("a", "payload"u8, wantsOutcome: true), [.. Messages.Stream("b", new byte[500])]], Seed);
        var requests = new Mutator([Messages.Request("a", "payload"u8)], Seed);
        HandDrivenPeer peer = await run.StartPeerAsync();
        int rounds = Rounds(100);
        for (int i = 0; i < rounds; i++)
        {
            HandDrivenConnection connection = await peer.DialAsync(run.Victim.EndPoint);
            await connection.JoinAsync();
            for (int stream = 0; stream < 8; stream++)
            {
                await WriteAsync(connection, StreamDirection.Unidirectional, messages.Make((i * 8) + stream).ToArray(), end: stream % 2 == 0);
                await WriteAsync(connection, StreamDirection.Bidirectional, requests.Make((i * 8) + stream).ToArray(), end: stream % 2 == 0);
            }
            await connection.CloseAsync();
            await run.WhenGoneAsync(peer, i);
        }
        await run.EndAsync(maxEvents: 5 * rounds, maxShown: 40 + (4 * rounds));
    }

    private static int Rounds(int byCustom) =>
        Environment.GetEnvironmentVariable("EVENTMESH_FUZZ_CONNECTIONS") is { Length: > 0 } text
            ? int.Parse(text, CultureInfo.InvariantCulture)
            : byCustom;

    private static async Task WriteAsync(HandDrivenConnection connection, StreamDirection direction, byte[] bytes, bool end = false)
    {
        try
        {
            if (bytes.Length > 0) await connection.OpenAsync(direction, bytes, end);
        }
        catch (MeshException)
        {
            // The victim had enough.
        }
    }

    private static byte[] Control(bool withVerdict)
    {
        var output = new ArrayBufferWriter<byte>();
        FrameWriter.WriteVarInt(output, (ulong)StreamType.Control);
        FrameWriter.Write(output, FrameType.Hello, Samples.Hellos[0]);
        if (!withVerdict) return output.WrittenSpan.ToArray();
        FrameWriter.Write(output, FrameType.HelloAck, new HelloAck { Observed = Samples.Endpoint });
        foreach (byte[] frame in Frames()) output.Write(frame);
        return output.WrittenSpan.ToArray();
    }

    private static byte[][] Frames()
    {
        (FrameType Type, Google.Protobuf.IMessage Body)[] frames =
        [
            (FrameType.Ping, new Ping { Nonce = 7 }),
            (FrameType.Pong, new Pong { Nonce = 7 }),
            (FrameType.PeersRequest, new PeersRequest { Max = 8 }),
            // Empty: who is told of peers dials them.
            (FrameType.Peers, new Peers()),
            (FrameType.Outcome, new Outcome { Sequence = 1, Code = 19 }),
            (FrameType.Notice, new Notice { Code = 5 }),
            (FrameType.ReverseCheck, new ReverseCheck { Code = 10 }),
            (FrameType.Goodbye, new Goodbye { Code = 1 }),
            (FrameType.KindChanged, Samples.KindChanged),
            (FrameType.DialBackRequest, Samples.DialBack),
            (FrameType.DialBackResult, new DialBackResult { Nonce = Samples.DialBack.Nonce }),
            (FrameType.Credit, new Credit { Sequence = 1, Granted = 1 << 20 }),
            (FrameType.ChannelAck, new ChannelAck { Number = 1, Received = 1 }),
        ];
        return [.. frames.Select(frame =>
        {
            var output = new ArrayBufferWriter<byte>();
            FrameWriter.Write(output, frame.Type, frame.Body);
            return output.WrittenSpan.ToArray();
        })];
    }
}
