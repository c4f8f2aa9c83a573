using System.Buffers.Binary;

namespace EventMesh.Journal.Internal;

/// <summary>
/// The ids of events: UUIDs of version 7 that increase with the events' times (RFC 9562 6.2, method 3: the 12 bits behind the milliseconds hold the
/// part of one). So a new id belongs at the end of an index, whose pages are then full and few.
/// </summary>
internal static class EventIdentifier
{
    private const int StepsPerMillisecond = 1 << 12;

    /// <summary>An id of its own for an event of a time; <see cref="EventTime"/> gives no two events of a log the same.</summary>
    public static Guid New(DateTimeOffset time)
    {
        Span<byte> bytes = stackalloc byte[16];
        Guid random = Guid.NewGuid();
        random.TryWriteBytes(bytes, bigEndian: true, out _);
        (long milliseconds, long rest) = Math.DivRem(time.UtcTicks - DateTimeOffset.UnixEpoch.Ticks, TimeSpan.TicksPerMillisecond);
        BinaryPrimitives.WriteInt64BigEndian(bytes, (milliseconds << 16) | 0x7000 | (rest * StepsPerMillisecond / TimeSpan.TicksPerMillisecond));
        return new Guid(bytes, bigEndian: true);
    }
}
