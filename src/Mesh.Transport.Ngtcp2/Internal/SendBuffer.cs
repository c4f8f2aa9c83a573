using EventMesh.Transport.Ngtcp2.Interop;

namespace EventMesh.Transport.Ngtcp2.Internal;

/// <summary>
/// The bytes of a stream from the write until the acknowledgement: a queue of blocks with a place up to which ngtcp2 has
/// taken them. The owner's lock guards it.
/// </summary>
internal unsafe struct SendBuffer
{
    // What one packet can carry several times over: enough for ngtcp2 to fill it from.
    private const int GatherBytes = 4096;

    private NativeBuffer? _head;
    private NativeBuffer? _tail;
    private NativeBuffer? _next;
    private int _nextOffset;
    private long _headOffset;

    /// <value>Bytes that the application has written.</value>
    public long Written { get; private set; }

    /// <value>Bytes that ngtcp2 has taken.</value>
    public long Sent { get; private set; }

    /// <value>Bytes that the peer has acknowledged without a gap.</value>
    public long Acknowledged { get; private set; }

    public readonly long Unacknowledged => Written - Acknowledged;

    public void Append(NativeBufferPool pool, ReadOnlySpan<byte> data)
    {
        while (!data.IsEmpty)
        {
            if (_tail is null || _tail.IsFull)
                AddBlock(pool.Rent(data.Length, maybeAll: Written == 0));
            Span<byte> room = _tail!.Room;
            int count = Math.Min(data.Length, room.Length);
            data[..count].CopyTo(room);
            _tail.Length += count;
            Written += count;
            data = data[count..];
        }
    }

    /// <summary>Points at the bytes to send next and says how many they are.</summary>
    public readonly int Gather(ngtcp2_vec* vector, int capacity, out long covered)
    {
        int count = 0;
        covered = 0;
        NativeBuffer? block = _next;
        int offset = _nextOffset;
        while (block is not null && count < capacity && covered < GatherBytes)
        {
            if (offset < block.Length)
            {
                vector[count].@base = block.Data + offset;
                vector[count].len = (nuint)(block.Length - offset);
                covered += block.Length - offset;
                count++;
            }
            block = block.Next;
            offset = 0;
        }
        return count;
    }

    /// <summary>Moves past the bytes that ngtcp2 has taken; they stay where they are.</summary>
    public void Advance(long count)
    {
        Sent += count;
        while (count > 0)
        {
            NativeBuffer block = _next ?? throw new InvalidOperationException("More bytes were taken than were offered.");
            long step = Math.Min(count, block.Length - _nextOffset);
            _nextOffset += (int)step;
            count -= step;
            if (_nextOffset == block.Length && block.Next is not null)
            {
                _next = block.Next;
                _nextOffset = 0;
            }
            else if (step == 0)
            {
                throw new InvalidOperationException("More bytes were taken than were offered.");
            }
        }
    }

    /// <summary>Frees the blocks that the peer has acknowledged as a whole.</summary>
    public void Acknowledge(NativeBufferPool pool, long upTo)
    {
        Acknowledged = upTo;
        while (_head is { } block && _headOffset + block.Length <= upTo)
        {
            _headOffset += block.Length;
            _head = block.Next;
            if (_next == block)
            {
                _next = _head;
                _nextOffset = 0;
            }
            if (_head is null)
                _tail = null;
            pool.Return(block);
        }
    }

    /// <summary>Frees all blocks.</summary>
    public void Clear(NativeBufferPool pool)
    {
        pool.ReturnAll(_head);
        _head = _tail = _next = null;
    }

    private void AddBlock(NativeBuffer block)
    {
        if (_tail is null)
        {
            _head = _next = block;
            _headOffset = Written;
            _nextOffset = 0;
        }
        else
        {
            _tail.Next = block;
        }
        _tail = block;
    }
}
