using System.Buffers;
using System.Diagnostics;
using EventMesh.Adversary.Support;
using EventMesh.Wire;
using EventMesh.Wire.Frames;

namespace EventMesh.Adversary.Fuzzing;

/// <summary>Numbers, frames and headers as they come out of streams.</summary>
internal static class StreamTargets
{
    // Buffers come from a pool, which may make one of 64 KiB for a length that was announced, and twice what has arrived.
    private const int PooledBuffers = 256 * 1024;

    private const ulong Start = 0xcbf2_9ce4_8422_2325;

    public static IReadOnlyList<FuzzTarget> All { get; } =
    [
        new("varint", [[0x25], [0x7b, 0xbd], [0x9d, 0x7f, 0x3e, 0x7d], [0xc2, 0x19, 0x7c, 0x5e, 0xff, 0x14, 0xe8, 0x8c]], DecodeVarInt, FixedBytes: 1024),
        new("controlstream", [Control(3), Control(40)], input => DecodeStream(input, WireLimits.ControlFrame), PooledBuffers),
        new("messagestream", [MessagesOf(1, 10), MessagesOf(5, 1000)], input => DecodeStream(input, 16 * 1024 * 1024), PooledBuffers),
        new("messageheader", [Body(Samples.Header), Body(new MessageHeader { Sequence = 1, Channel = "c" })], DecodeMessage),
        new("responseheader", [Body(new ResponseHeader()), Body(new ResponseHeader { Code = 20 })], DecodeResponse),
    ];

    private static bool DecodeVarInt(ReadOnlyMemory<byte> input)
    {
        int length = VarInt.Read(input.Span, out ulong value);
        if (length == 0) return false;
        FuzzTargets.Require(length is 1 or 2 or 4 or 8 && length <= input.Length && value <= VarInt.MaxValue, "A number that can't be.");
        Span<byte> written = stackalloc byte[VarInt.MaxLength];
        int canonical = VarInt.Write(written, value);
        FuzzTargets.Require(canonical <= length && canonical == VarInt.LengthOf(value), "It is longer when written.");
        FuzzTargets.Require(VarInt.Read(written[..canonical], out ulong again) == canonical && again == value, "It is another when read again.");
        return true;
    }

    /// <summary>The same frames, or the same refusal, whatever the pieces in which they arrive.</summary>
    private static bool DecodeStream(ReadOnlyMemory<byte> input, int maxFrame)
    {
        ulong seed = Hash(Start, input.Span);
        (long Frames, ulong Hash, MeshError? Error) whole = ReadAll(new ChunkedStream(input, seed, Mutator.MaxLength), maxFrame);
        (long Frames, ulong Hash, MeshError? Error) pieces = ReadAll(new ChunkedStream(input, seed, 1 + (int)(seed % 97)), maxFrame);
        FuzzTargets.Require(whole == pieces, $"Read whole it is {whole}, in pieces {pieces}.");
        return whole.Error is null;
    }

    private static (long Frames, ulong Hash, MeshError? Error) ReadAll(ChunkedStream stream, int maxFrame)
    {
        long frames = 0;
        ulong hash = Start;
        using var reader = new FrameReader(stream);
        try
        {
            if (Now(reader.ReadVarIntAsync(CancellationToken.None)) is null) return (0, 0, null);
            while (Now(reader.ReadFrameAsync(maxFrame, CancellationToken.None)) is { } frame)
            {
                frames++;
                hash = Hash(hash ^ (ulong)frame.Type, frame.Body.Span);
                _ = frame.IsOptional;
            }
            return (frames, hash, null);
        }
        catch (MeshException e) when (e.Error is MeshError.ProtocolViolation or MeshError.TooLarge)
        {
            return (frames, hash, e.Error);
        }
    }

    /// <summary>FNV-1a.</summary>
    private static ulong Hash(ulong hash, ReadOnlySpan<byte> bytes)
    {
        foreach (byte b in bytes) hash = (hash ^ b) * 0x100_0000_01b3;
        return hash;
    }

    private static T Now<T>(ValueTask<T> task)
    {
        FuzzTargets.Require(task.IsCompleted, "It waits, though the stream never does.");
#pragma warning disable VSTHRD002 // The task has completed: nothing waits.
        return task.GetAwaiter().GetResult();
#pragma warning restore VSTHRD002
    }

    private static bool DecodeMessage(ReadOnlyMemory<byte> input)
    {
        try
        {
            (MessageHeader header, ReadOnlyMemory<byte> payload) = FrameWriter.Split(MessageHeader.Parser, input);
            FuzzTargets.Require(payload.Length < input.Length, "The payload is longer than the body.");
            _ = ActivityContext.TryParse(header.Traceparent, header.Tracestate, isRemote: true, out _);
            return true;
        }
        catch (MeshException e) when (e.Error == MeshError.ProtocolViolation)
        {
            return false;
        }
    }

    private static bool DecodeResponse(ReadOnlyMemory<byte> input)
    {
        try
        {
            (ResponseHeader header, _) = FrameWriter.Split(ResponseHeader.Parser, input);
            _ = ((WireCode)header.Code).ToMeshError();
            return true;
        }
        catch (MeshException e) when (e.Error == MeshError.ProtocolViolation)
        {
            return false;
        }
    }

    private static byte[] Control(int pings)
    {
        var output = new ArrayBufferWriter<byte>();
        FrameWriter.WriteVarInt(output, (ulong)StreamType.Control);
        FrameWriter.Write(output, FrameType.Hello, Samples.Hellos[1]);
        FrameWriter.Write(output, FrameType.HelloAck, new HelloAck { Observed = Samples.Endpoint });
        for (int i = 0; i < pings; i++) FrameWriter.Write(output, FrameType.Ping, new Ping { Nonce = (ulong)i << 40 });
        return output.WrittenSpan.ToArray();
    }

    private static byte[] MessagesOf(int count, int payload)
    {
        var output = new ArrayBufferWriter<byte>();
        FrameWriter.WriteVarInt(output, (ulong)StreamType.Messages);
        for (int i = 0; i < count; i++) FrameWriter.Write(output, FrameType.Message, Samples.Header, new byte[payload]);
        return output.WrittenSpan.ToArray();
    }

    /// <summary>A body of header and payload: its frame without type and length.</summary>
    private static byte[] Body(Google.Protobuf.IMessage header)
    {
        byte[] bytes = Google.Protobuf.MessageExtensions.ToByteArray(header);
        return [.. Raw.VarInt((ulong)bytes.Length), .. bytes, 1, 2, 3];
    }
}
