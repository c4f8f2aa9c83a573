using System.Buffers;
using EventMesh.Transport;

namespace EventMesh.Wire;

/// <summary>Reads a stream's type and its frames; nothing is allocated before its length has been checked.</summary>
/// <remarks>One reader at a time. A body is valid until the next read.</remarks>
internal sealed class FrameReader(ITransportStream stream, ByteBudget? budget = null) : IDisposable
{
    // What a stream keeps that says little, as a control stream does for as long as its connection lives.
    private const int FirstCapacity = 512;

    // From the first read on that fills what there is.
    private const int Capacity = 4096;

    private byte[] _buffer = ArrayPool<byte>.Shared.Rent(FirstCapacity);
    private int _start;
    private int _end;
    private int _taken;

    /// <summary>Reads a varint; null at the end of the stream.</summary>
    /// <exception cref="MeshException"><see cref="MeshError.ProtocolViolation"/>: the stream ended within it.</exception>
    public async ValueTask<ulong?> ReadVarIntAsync(CancellationToken cancellationToken)
    {
        while (true)
        {
            int length = VarInt.Read(_buffer.AsSpan(_start, _end - _start), out ulong value);
            if (length > 0)
            {
                _start += length;
                return value;
            }
            if (await FillAsync(VarInt.MaxLength, cancellationToken).ConfigureAwait(false)) continue;
            return _start == _end ? null : throw Truncated();
        }
    }

    /// <summary>Reads a frame; null at the end of the stream.</summary>
    /// <exception cref="MeshException">
    /// <see cref="MeshError.TooLarge"/>: its body is longer than <paramref name="maxLength"/>; <see cref="MeshError.ProtocolViolation"/>: the
    /// stream ended within it.
    /// </exception>
    public ValueTask<Frame?> ReadFrameAsync(int maxLength, CancellationToken cancellationToken) =>
        ReadFrameAsync(maxLength, beforeLarge: null, cancellationToken);

    /// <summary>Reads a frame and waits for <paramref name="beforeLarge"/> before it collects a body above <see cref="WireLimits.LargeMessage"/>.</summary>
    public async ValueTask<Frame?> ReadFrameAsync(int maxLength, Func<Task>? beforeLarge, CancellationToken cancellationToken)
    {
        ReleaseBudget();
        ulong? type = await ReadVarIntAsync(cancellationToken).ConfigureAwait(false);
        if (type is null) return null;
        ulong length = await ReadVarIntAsync(cancellationToken).ConfigureAwait(false) ?? throw Truncated();
        if (length > (ulong)maxLength)
            throw new MeshException(MeshError.TooLarge, $"A frame of {length} bytes is above the limit of {maxLength} bytes.");
        if (length > WireLimits.LargeMessage && beforeLarge is not null) await beforeLarge().ConfigureAwait(false);
        // What fits into the buffer that each stream has needs no leave; larger bodies have slots of their own.
        if (budget is not null && length > Capacity && length <= WireLimits.LargeMessage + WireLimits.MessageHeader + VarInt.MaxLength)
        {
            await budget.AcquireAsync((int)length, cancellationToken).ConfigureAwait(false);
            _taken = (int)length;
        }
        while (_end - _start < (int)length)
        {
            if (!await FillAsync((int)length, cancellationToken).ConfigureAwait(false)) throw Truncated();
        }
        ReadOnlyMemory<byte> body = _buffer.AsMemory(_start, (int)length);
        _start += (int)length;
        return new Frame((FrameType)type.Value, body);
    }

    /// <summary>Whether nothing is read ahead: the next read has to wait for the peer.</summary>
    public bool IsDrained => _start == _end;

    /// <summary>Reads the head of a frame of header and payload, whose payload then follows by <see cref="ReadPayloadAsync"/>.</summary>
    /// <exception cref="MeshException"><see cref="MeshError.ProtocolViolation"/>: it is not one.</exception>
    public async ValueTask<(FrameType Type, T Header, long PayloadLength)> ReadHeadAsync<T>(
        Google.Protobuf.MessageParser<T> parser, CancellationToken cancellationToken)
        where T : Google.Protobuf.IMessage<T>
    {
        ulong type = await ReadVarIntAsync(cancellationToken).ConfigureAwait(false) ?? throw Truncated();
        ulong length = await ReadVarIntAsync(cancellationToken).ConfigureAwait(false) ?? throw Truncated();
        ulong size = await ReadVarIntAsync(cancellationToken).ConfigureAwait(false) ?? throw Truncated();
        ulong head = (ulong)VarInt.LengthOf(size) + size;
        if (size > WireLimits.MessageHeader || head > length || length > long.MaxValue)
            throw new MeshException(MeshError.ProtocolViolation, "A message's header is missing or too long.");
        while (_end - _start < (int)size)
        {
            if (!await FillAsync((int)size, cancellationToken).ConfigureAwait(false)) throw Truncated();
        }
        T header = FrameWriter.Parse(parser, _buffer.AsMemory(_start, (int)size));
        _start += (int)size;
        return ((FrameType)type, header, (long)(length - head));
    }

    /// <summary>Reads at least one byte of a payload.</summary>
    /// <exception cref="MeshException"><see cref="MeshError.ProtocolViolation"/>: the stream ended within it.</exception>
    public async ValueTask<int> ReadPayloadAsync(Memory<byte> destination, CancellationToken cancellationToken)
    {
        int held = Math.Min(_end - _start, destination.Length);
        if (held > 0)
        {
            _buffer.AsMemory(_start, held).CopyTo(destination);
            _start += held;
            return held;
        }
        int read = await stream.ReadAsync(destination, cancellationToken).ConfigureAwait(false);
        return read > 0 ? read : throw Truncated();
    }

    public void Dispose()
    {
        ReleaseBudget();
        byte[] buffer = Interlocked.Exchange(ref _buffer, []);
        if (buffer.Length > 0) ArrayPool<byte>.Shared.Return(buffer);
    }

    private void ReleaseBudget()
    {
        if (_taken > 0) budget!.Release(_taken);
        _taken = 0;
    }

    private static MeshException Truncated() => new(MeshError.ProtocolViolation, "The stream ended within a frame.");

    /// <summary>Reads more, with room for <paramref name="wanted"/> bytes from the start; false at the end of the stream.</summary>
    private async ValueTask<bool> FillAsync(int wanted, CancellationToken cancellationToken)
    {
        // The last read left no room: more waits, most likely.
        bool isFull = _end == _buffer.Length;
        if (_start == _end) _start = _end = 0;
        if (_buffer.Length - _start < wanted || _end == _buffer.Length || (isFull && _buffer.Length < Capacity))
        {
            // Grow with what has arrived, not with what the peer announced: a length alone must not make us allocate.
            int held = _end - _start;
            int size = Math.Max(Math.Min(wanted, Math.Max(held * 2, 64 * 1024)), held + 1);
            if (isFull) size = Math.Max(size, Capacity);
            byte[] larger = size > _buffer.Length ? ArrayPool<byte>.Shared.Rent(size) : _buffer;
            Buffer.BlockCopy(_buffer, _start, larger, 0, held);
            if (!ReferenceEquals(larger, _buffer))
            {
                ArrayPool<byte>.Shared.Return(_buffer);
                _buffer = larger;
            }
            _start = 0;
            _end = held;
        }
        int read = await stream.ReadAsync(_buffer.AsMemory(_end), cancellationToken).ConfigureAwait(false);
        _end += read;
        return read > 0;
    }
}
