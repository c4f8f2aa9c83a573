using EventMesh.Transport.Ngtcp2.Interop;

namespace EventMesh.Transport.Ngtcp2.Internal;

/// <summary>A connection id or stateless reset token as a dictionary key: up to 20 bytes, without an allocation.</summary>
internal readonly struct ConnectionId : IEquatable<ConnectionId>
{
    /// <summary>The length of the ids that we hand out: 8 bytes.</summary>
    public const int OwnLength = 8;

    private readonly ulong _first;
    private readonly ulong _second;
    private readonly uint _third;
    private readonly int _length;

    public unsafe ConnectionId(byte* bytes, nuint length)
    {
        _length = (int)length;
        if (length == OwnLength)
        {
            _first = *(ulong*)bytes;
            return;
        }
        byte* padded = stackalloc byte[24];
        new Span<byte>(padded, 24).Clear();
        Buffer.MemoryCopy(bytes, padded, 24, (long)nuint.Min(length, Native.NGTCP2_MAX_CIDLEN));
        _first = *(ulong*)padded;
        _second = *(ulong*)(padded + 8);
        _third = *(uint*)(padded + 16);
    }

    public bool Equals(ConnectionId other) =>
        _first == other._first && _second == other._second && _third == other._third && _length == other._length;

    public override bool Equals(object? obj) => obj is ConnectionId other && Equals(other);

    // Seeded per process: the peer chooses the id of its first packet.
    public override int GetHashCode() => HashCode.Combine(_first, _second, _third);
}
