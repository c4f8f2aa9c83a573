using System.Buffers.Binary;

namespace EventMesh.Transport.Ngtcp2.Internal;

/// <summary>
/// Finds STOP_SENDING frames in the plaintext of a packet. ngtcp2 has no callback for them: it resets the stream by itself,
/// and a writer on a two-way stream would neither learn of it nor of the peer's code.
/// </summary>
internal static class StopSendingScanner
{
    private const int MaxFrameType = 0x1e;

    /// <summary>Calls <paramref name="found"/> for each frame; stops at the first thing that it can't read, which ngtcp2 judges.</summary>
    public static void Scan<TState>(ReadOnlySpan<byte> payload, TState state, Action<TState, long, ulong> found)
    {
        while (!payload.IsEmpty)
        {
            byte type = payload[0];
            payload = payload[1..];
            if (type == 0x05)
            {
                if (!TryReadVarint(ref payload, out ulong stream) || !TryReadVarint(ref payload, out ulong code))
                    return;
                found(state, (long)stream, code);
            }
            else if (type > MaxFrameType || !TrySkip(type, ref payload))
            {
                return;
            }
        }
    }

    private static bool TrySkip(byte type, ref ReadOnlySpan<byte> rest) => type switch
    {
        0x00 or 0x01 or 0x1e => true, // PADDING, PING, HANDSHAKE_DONE
        0x02 or 0x03 => TrySkipAcknowledgement(ref rest, withEcn: type == 0x03),
        0x04 => TrySkipVarints(ref rest, 3), // RESET_STREAM
        0x06 => TrySkipVarints(ref rest, 1) && TrySkipCounted(ref rest), // CRYPTO
        0x07 => TrySkipCounted(ref rest), // NEW_TOKEN
        >= 0x08 and <= 0x0f => TrySkipStream(type, ref rest),
        0x10 or 0x12 or 0x13 or 0x14 or 0x16 or 0x17 or 0x19 => TrySkipVarints(ref rest, 1), // limits, RETIRE_CONNECTION_ID
        0x11 or 0x15 => TrySkipVarints(ref rest, 2), // MAX_STREAM_DATA, STREAM_DATA_BLOCKED
        0x18 => TrySkipVarints(ref rest, 2) && TrySkipNewConnectionId(ref rest),
        0x1a or 0x1b => TrySkipBytes(ref rest, 8), // PATH_CHALLENGE, PATH_RESPONSE
        _ => false, // a close ends the packet's use
    };

    private static bool TrySkipAcknowledgement(ref ReadOnlySpan<byte> rest, bool withEcn)
    {
        if (!TrySkipVarints(ref rest, 2) || !TryReadVarint(ref rest, out ulong ranges) || !TrySkipVarints(ref rest, 1))
            return false;
        for (ulong i = 0; i < ranges; i++)
        {
            if (!TrySkipVarints(ref rest, 2))
                return false;
        }
        return !withEcn || TrySkipVarints(ref rest, 3);
    }

    private static bool TrySkipStream(byte type, ref ReadOnlySpan<byte> rest)
    {
        bool hasOffset = (type & 4) != 0;
        bool hasLength = (type & 2) != 0;
        if (!TrySkipVarints(ref rest, hasOffset ? 2 : 1))
            return false;
        if (hasLength)
            return TrySkipCounted(ref rest);
        rest = default; // it fills the packet
        return true;
    }

    private static bool TrySkipNewConnectionId(ref ReadOnlySpan<byte> rest) => !rest.IsEmpty && TrySkipBytes(ref rest, 1UL + rest[0] + 16);

    private static bool TrySkipCounted(ref ReadOnlySpan<byte> rest) => TryReadVarint(ref rest, out ulong length) && TrySkipBytes(ref rest, length);

    private static bool TrySkipBytes(ref ReadOnlySpan<byte> rest, ulong count)
    {
        if (count > (ulong)rest.Length)
            return false;
        rest = rest[(int)count..];
        return true;
    }

    private static bool TrySkipVarints(ref ReadOnlySpan<byte> rest, int count)
    {
        for (int i = 0; i < count; i++)
        {
            if (rest.IsEmpty || !TrySkipBytes(ref rest, 1UL << (rest[0] >> 6)))
                return false;
        }
        return true;
    }

    private static bool TryReadVarint(ref ReadOnlySpan<byte> rest, out ulong value)
    {
        value = 0;
        if (rest.IsEmpty)
            return false;
        int length = 1 << (rest[0] >> 6);
        if (rest.Length < length)
            return false;
        value = length switch
        {
            1 => rest[0],
            2 => BinaryPrimitives.ReadUInt16BigEndian(rest) & 0x3fffUL,
            4 => BinaryPrimitives.ReadUInt32BigEndian(rest) & 0x3fff_ffffUL,
            _ => BinaryPrimitives.ReadUInt64BigEndian(rest) & 0x3fff_ffff_ffff_ffffUL,
        };
        rest = rest[length..];
        return true;
    }
}
