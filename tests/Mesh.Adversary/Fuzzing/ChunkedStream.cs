using EventMesh.Transport;

namespace EventMesh.Adversary.Fuzzing;

/// <summary>A stream that hands its content out in pieces of lengths that follow from a seed; every read ends at once.</summary>
internal sealed class ChunkedStream(ReadOnlyMemory<byte> content, ulong seed, int maxPiece) : ITransportStream
{
    private SplitMix _random = new(seed);
    private ReadOnlyMemory<byte> _left = content;

    public long Id => 2;

    public StreamDirection Direction => StreamDirection.Unidirectional;

    public bool CanRead => true;

    public bool CanWrite => false;

    public Task WritesAcknowledged => Task.CompletedTask;

    public ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken)
    {
        int count = Math.Min(Math.Min(_left.Length, buffer.Length), 1 + _random.Below(maxPiece));
        _left[..count].CopyTo(buffer);
        _left = _left[count..];
        return new ValueTask<int>(count);
    }

    public ValueTask WriteAsync(ReadOnlyMemory<byte> data, bool endStream, CancellationToken cancellationToken) => throw new InvalidOperationException();

    public void Reset(ulong code)
    {
    }

    public void StopSending(ulong code)
    {
    }

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;
}
