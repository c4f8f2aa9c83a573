namespace EventMesh.Transport.Ngtcp2.Internal;

/// <summary>The bytes of a stream that have arrived and were not read. The owner's lock guards it.</summary>
internal struct ReceiveBuffer
{
    private NativeBuffer? _head;
    private NativeBuffer? _tail;

    /// <value>Unread bytes.</value>
    public long Available { get; private set; }

    /// <summary>Stores bytes.</summary>
    /// <param name="pool">Where the blocks come from.</param>
    /// <param name="data">The bytes.</param>
    /// <param name="last">Whether the stream ends with them.</param>
    public void Append(NativeBufferPool pool, ReadOnlySpan<byte> data, bool last)
    {
        while (!data.IsEmpty)
        {
            if (_tail is null || _tail.IsFull)
            {
                NativeBuffer block = pool.Rent(data.Length, maybeAll: last && _tail is null);
                if (_tail is null)
                    _head = block;
                else
                    _tail.Next = block;
                _tail = block;
            }
            Span<byte> room = _tail.Room;
            int count = Math.Min(data.Length, room.Length);
            data[..count].CopyTo(room);
            _tail.Length += count;
            Available += count;
            data = data[count..];
        }
    }

    /// <summary>Moves bytes out and returns how many.</summary>
    public int Read(NativeBufferPool pool, Span<byte> destination)
    {
        int total = 0;
        while (!destination.IsEmpty && _head is { } block)
        {
            ReadOnlySpan<byte> unread = block.Unread;
            int count = Math.Min(destination.Length, unread.Length);
            unread[..count].CopyTo(destination);
            destination = destination[count..];
            block.Start += count;
            total += count;
            if (block.Start < block.Length)
                break;
            _head = block.Next;
            if (_head is null)
                _tail = null;
            pool.Return(block);
        }
        Available -= total;
        return total;
    }

    /// <summary>Frees all blocks.</summary>
    public void Clear(NativeBufferPool pool)
    {
        pool.ReturnAll(_head);
        _head = _tail = null;
        Available = 0;
    }
}
