using System.Buffers.Binary;

namespace EventMesh.Conformance.Sessions;

/// <summary>A content of any length that needs no memory: each 8 bytes are their own offset. It checks what it is compared with.</summary>
public sealed class PatternStream(long length) : Stream
{
    private long _position;

    /// <summary>Fails the read at this offset; none by default.</summary>
    public long FailAt { get; init; } = long.MaxValue;

    public override bool CanRead => true;

    public override bool CanSeek => false;

    public override bool CanWrite => false;

    public override long Length => length;

    public override long Position
    {
        get => Interlocked.Read(ref _position);
        set => throw new NotSupportedException();
    }

    /// <summary>Reads a stream to its end and compares each byte.</summary>
    /// <returns>How many bytes were right, up to the first wrong one.</returns>
    public static async Task<long> CompareAsync(Stream content, CancellationToken cancellationToken)
    {
        var buffer = new byte[64 * 1024];
        var expected = new byte[64 * 1024];
        long at = 0;
        while (await content.ReadAsync(buffer, cancellationToken) is int read and > 0)
        {
            Fill(expected.AsSpan(0, read), at);
            int same = buffer.AsSpan(0, read).CommonPrefixLength(expected.AsSpan(0, read));
            at += same;
            if (same < read) break;
        }
        return at;
    }

    public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        if (_position + buffer.Length > FailAt) throw new InvalidOperationException("The content fails.");
        int count = (int)Math.Min(buffer.Length, length - _position);
        Fill(buffer.Span[..count], _position);
        Interlocked.Add(ref _position, count);
        return new(count);
    }

    public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    public override void Flush()
    {
    }

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    private static void Fill(Span<byte> span, long at)
    {
        Span<byte> word = stackalloc byte[8];
        for (int i = 0; i < span.Length;)
        {
            long offset = at + i;
            BinaryPrimitives.WriteInt64LittleEndian(word, offset & ~7L);
            int skip = (int)(offset & 7);
            int count = Math.Min(8 - skip, span.Length - i);
            word.Slice(skip, count).CopyTo(span[i..]);
            i += count;
        }
    }
}
