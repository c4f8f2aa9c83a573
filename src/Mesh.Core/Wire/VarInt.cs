using System.Buffers.Binary;

namespace EventMesh.Wire;

/// <summary>Variable-length integers as QUIC has them (RFC 9000 16): 1, 2, 4 or 8 bytes, up to 2^62 - 1.</summary>
internal static class VarInt
{
    public const int MaxLength = 8;
    public const ulong MaxValue = (1UL << 62) - 1;

    public static int LengthOf(ulong value) => value switch
    {
        < 1 << 6 => 1,
        < 1 << 14 => 2,
        < 1 << 30 => 4,
        <= MaxValue => 8,
        _ => throw new ArgumentOutOfRangeException(nameof(value)),
    };

    public static int Write(Span<byte> destination, ulong value)
    {
        switch (LengthOf(value))
        {
            case 1:
                destination[0] = (byte)value;
                return 1;
            case 2:
                BinaryPrimitives.WriteUInt16BigEndian(destination, (ushort)(value | 0x4000));
                return 2;
            case 4:
                BinaryPrimitives.WriteUInt32BigEndian(destination, (uint)value | 0x8000_0000);
                return 4;
            default:
                BinaryPrimitives.WriteUInt64BigEndian(destination, value | 0xC000_0000_0000_0000);
                return 8;
        }
    }

    /// <summary>Reads one; zero when <paramref name="source"/> does not hold all of it yet.</summary>
    public static int Read(ReadOnlySpan<byte> source, out ulong value)
    {
        value = 0;
        if (source.IsEmpty) return 0;
        int length = 1 << (source[0] >> 6);
        if (source.Length < length) return 0;
        value = length switch
        {
            1 => source[0],
            2 => BinaryPrimitives.ReadUInt16BigEndian(source) & 0x3FFFUL,
            4 => BinaryPrimitives.ReadUInt32BigEndian(source) & 0x3FFF_FFFFUL,
            _ => BinaryPrimitives.ReadUInt64BigEndian(source) & MaxValue,
        };
        return length;
    }
}
