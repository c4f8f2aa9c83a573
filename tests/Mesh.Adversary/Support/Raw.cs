using System.Buffers;
using EventMesh.Wire;

namespace EventMesh.Adversary.Support;

/// <summary>Bytes that no encoder of the product would write.</summary>
internal static class Raw
{
    public static byte[] VarInt(ulong value)
    {
        var bytes = new byte[Wire.VarInt.MaxLength];
        return bytes[..Wire.VarInt.Write(bytes, value)];
    }

    public static byte[] Frame(ulong type, ReadOnlySpan<byte> body) => [.. VarInt(type), .. VarInt((ulong)body.Length), .. body];

    /// <summary>A frame's head that announces more than follows.</summary>
    public static byte[] Head(ulong type, ulong length) => [.. VarInt(type), .. VarInt(length)];

    /// <summary>A protobuf varint field with the value 1.</summary>
    public static byte[] ProtobufField(int number)
    {
        var output = new List<byte>();
        for (uint tag = (uint)number << 3; ; tag >>= 7)
        {
            if (tag < 128)
            {
                output.Add((byte)tag);
                break;
            }
            output.Add((byte)(tag | 128));
        }
        output.Add(1);
        return [.. output];
    }

    /// <summary>Many equal frames in one piece.</summary>
    public static byte[] Repeat(byte[] frame, int count)
    {
        var output = new ArrayBufferWriter<byte>(frame.Length * count);
        for (int i = 0; i < count; i++) output.Write(frame);
        return output.WrittenSpan.ToArray();
    }
}
