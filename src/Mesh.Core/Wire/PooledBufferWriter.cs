using System.Buffers;

namespace EventMesh.Wire;

/// <summary>A buffer that holds memory only between its first write and <see cref="Release"/>: idle peers cost nothing.</summary>
internal sealed class PooledBufferWriter : IBufferWriter<byte>
{
    private const int Smallest = 1024;

    private byte[] _buffer = [];
    private int _written;

    public int WrittenCount => _written;

    public ReadOnlyMemory<byte> WrittenMemory => _buffer.AsMemory(0, _written);

    public void Advance(int count)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(count, _buffer.Length - _written);
        _written += count;
    }

    public Memory<byte> GetMemory(int sizeHint = 0)
    {
        Reserve(sizeHint);
        return _buffer.AsMemory(_written);
    }

    public Span<byte> GetSpan(int sizeHint = 0)
    {
        Reserve(sizeHint);
        return _buffer.AsSpan(_written);
    }

    /// <summary>Gives the memory back; what was written is gone.</summary>
    public void Release()
    {
        if (_buffer.Length > 0) ArrayPool<byte>.Shared.Return(_buffer);
        _buffer = [];
        _written = 0;
    }

    /// <summary>Lets go of memory that somebody may still read: it does not go back to the pool.</summary>
    public void Abandon()
    {
        _buffer = [];
        _written = 0;
    }

    private void Reserve(int sizeHint)
    {
        int wanted = _written + Math.Max(sizeHint, 1);
        if (wanted <= _buffer.Length) return;
        byte[] larger = ArrayPool<byte>.Shared.Rent(Math.Max(Math.Max(wanted, 2 * _buffer.Length), Smallest));
        _buffer.AsSpan(0, _written).CopyTo(larger);
        if (_buffer.Length > 0) ArrayPool<byte>.Shared.Return(_buffer);
        _buffer = larger;
    }
}
