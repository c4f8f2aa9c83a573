using System.Buffers;
using EventMesh.Wire;
using EventMesh.Wire.Frames;
using Google.Protobuf;

namespace EventMesh.Adversary.Support;

/// <summary>What goes on streams of messages and requests.</summary>
internal static class Messages
{
    private static long _sequence;

    /// <summary>A stream of one message: its type and its frame.</summary>
    public static byte[] Stream(string channel, ReadOnlySpan<byte> payload, bool wantsOutcome = false) =>
        Stream(StreamType.Messages, FrameType.Message, Header(channel, wantsOutcome), payload);

    public static byte[] Request(string channel, ReadOnlySpan<byte> payload) =>
        Stream(StreamType.Request, FrameType.Request, Header(channel), payload);

    public static byte[] Stream(StreamType stream, FrameType type, IMessage header, ReadOnlySpan<byte> payload)
    {
        var output = new ArrayBufferWriter<byte>();
        FrameWriter.WriteVarInt(output, (ulong)stream);
        FrameWriter.Write(output, type, header, payload);
        return output.WrittenSpan.ToArray();
    }

    /// <summary>A stream of one message whose payload is announced and does not follow.</summary>
    public static byte[] Promise(StreamType stream, FrameType type, string channel, int payloadLength)
    {
        var output = new ArrayBufferWriter<byte>();
        FrameWriter.WriteVarInt(output, (ulong)stream);
        FrameWriter.WriteHead(output, type, Header(channel), payloadLength);
        return output.WrittenSpan.ToArray();
    }

    public static MessageHeader Header(string channel, bool wantsOutcome = false) => new()
    {
        Sequence = (ulong)Interlocked.Increment(ref _sequence),
        Channel = channel,
        WantsOutcome = wantsOutcome,
    };
}
