namespace EventMesh.Transport.Ngtcp2.Internal;

/// <summary>
/// The numbers by which ngtcp2's callbacks name streams. A number that outlived its stream finds nothing, where a pointer
/// would find freed memory. Loop thread only.
/// </summary>
internal sealed class StreamTable
{
    private readonly Stack<int> _free = new();
    private QuicStream?[] _streams = new QuicStream?[256];
    private int _next = 1;

    /// <summary>Streams that ngtcp2 knows now.</summary>
    public int Count { get; private set; }

    public int Add(QuicStream stream)
    {
        if (!_free.TryPop(out int slot))
        {
            slot = _next++;
            if (slot == _streams.Length)
                Array.Resize(ref _streams, slot * 2);
        }
        _streams[slot] = stream;
        Count++;
        return slot;
    }

    public void Remove(int slot)
    {
        if (_streams[slot] is null)
            return;
        _streams[slot] = null;
        _free.Push(slot);
        Count--;
    }

    public unsafe QuicStream? Find(void* userData)
    {
        int slot = (int)(nint)userData;
        return slot <= 0 ? null : _streams[slot];
    }
}
