using System.Buffers;
using Google.Protobuf;

namespace EventMesh.Wire;

/// <summary>Writes stream types and frames into a buffer.</summary>
internal static class FrameWriter
{
    public static void WriteVarInt(IBufferWriter<byte> output, ulong value)
    {
        Span<byte> span = output.GetSpan(VarInt.MaxLength);
        output.Advance(VarInt.Write(span, value));
    }

    /// <summary>A control frame.</summary>
    public static void Write(IBufferWriter<byte> output, FrameType type, IMessage body)
    {
        WriteVarInt(output, (ulong)type);
        WriteVarInt(output, (ulong)body.CalculateSize());
        body.WriteTo(output);
    }

    /// <summary>A frame of a header, with its length, and a payload.</summary>
    public static void Write(IBufferWriter<byte> output, FrameType type, IMessage header, ReadOnlySpan<byte> payload)
    {
        WriteHead(output, type, header, payload.Length);
        output.Write(payload);
    }

    /// <summary>All of a frame of header and payload but the payload, which follows on the stream.</summary>
    public static void WriteHead(IBufferWriter<byte> output, FrameType type, IMessage header, long payloadLength)
    {
        int size = header.CalculateSize();
        WriteVarInt(output, (ulong)type);
        WriteVarInt(output, (ulong)(VarInt.LengthOf((ulong)size) + size + payloadLength));
        WriteVarInt(output, (ulong)size);
        header.WriteTo(output);
    }

    /// <summary>Takes a body of header and payload apart.</summary>
    /// <exception cref="MeshException"><see cref="MeshError.ProtocolViolation"/>: it is not one.</exception>
    public static (T Header, ReadOnlyMemory<byte> Payload) Split<T>(MessageParser<T> parser, ReadOnlyMemory<byte> body)
        where T : IMessage<T>
    {
        int at = VarInt.Read(body.Span, out ulong size);
        if (at == 0 || size > WireLimits.MessageHeader || size > (ulong)(body.Length - at))
            throw new MeshException(MeshError.ProtocolViolation, "A message's header is missing or too long.");
        return (Parse(parser, body.Slice(at, (int)size)), body[(at + (int)size)..]);
    }

    /// <summary>Reads a protobuf message; unknown fields are dropped, since kept as objects they take a hundred times their length.</summary>
    /// <exception cref="MeshException"><see cref="MeshError.ProtocolViolation"/>: it is not one.</exception>
    public static T Parse<T>(MessageParser<T> parser, ReadOnlyMemory<byte> body)
        where T : IMessage<T>
    {
        try
        {
            return Discarding<T>.Parser(parser).ParseFrom(body.Span);
        }
        catch (InvalidProtocolBufferException e)
        {
            throw new MeshException(MeshError.ProtocolViolation, "A frame's body is malformed.", e);
        }
    }

    /// <summary>One parser a type that drops unknown fields: making one allocates.</summary>
    private static class Discarding<T>
        where T : IMessage<T>
    {
        private static MessageParser<T>? _parser;

        public static MessageParser<T> Parser(MessageParser<T> parser) => _parser ??= parser.WithDiscardUnknownFields(true);
    }
}
