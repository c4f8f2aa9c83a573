using EventMesh.Wire;

namespace EventMesh.Sessions.Internal;

/// <summary>The content of a large message while it arrives; its sender hears how far it was read.</summary>
/// <param name="reader">The stream, at the payload's begin.</param>
/// <param name="length">The payload's length.</param>
/// <param name="grant">Tells the sender how much was taken.</param>
/// <param name="ended">The connection was lost.</param>
internal sealed class InboundContent(FrameReader reader, long length, Func<long, Task> grant, CancellationToken ended) : Stream
{
    // The sender may be 1 MiB ahead: it hears often enough never to wait for us.
    private const int GrantBytes = WireLimits.UngrantedBytes / 4;

    // A handler that is no longer waited for may still read: the reader's memory goes back only when it does not.
    private readonly SemaphoreSlim _reading = new(1, 1);
    private readonly CancellationTokenSource _closing = CancellationTokenSource.CreateLinkedTokenSource(ended);
    private long _granted;
    private long _position;
    private volatile bool _isClosed;
    private volatile bool _isBroken;

    /// <summary>False once the rest can't come any more.</summary>
    public override bool CanRead => !_isClosed && !_isBroken;

    public override bool CanSeek => false;

    public override bool CanWrite => false;

    public override long Length => length;

    public override long Position
    {
        get => Interlocked.Read(ref _position);
        set => throw new NotSupportedException();
    }

    /// <summary>Whether all was read.</summary>
    public bool IsAtEnd => Position == length;

    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        ObjectDisposedException.ThrowIf(_isClosed, this);
        if (IsAtEnd || buffer.IsEmpty) return 0;
        await _reading.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            ObjectDisposedException.ThrowIf(_isClosed, this);
            using CancellationTokenSource? either =
                cancellationToken.CanBeCanceled ? CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, _closing.Token) : null;
            Memory<byte> wanted = buffer[..(int)Math.Min(buffer.Length, length - _position)];
            int read = await reader.ReadPayloadAsync(wanted, either?.Token ?? _closing.Token).ConfigureAwait(false);
            long position = Interlocked.Add(ref _position, read);
            if (position - _granted >= GrantBytes && position < length)
            {
                _granted = position;
                await grant(position).ConfigureAwait(false);
            }
            return read;
        }
        catch (Exception e) when (e is MeshException or ObjectDisposedException || (e is OperationCanceledException && !cancellationToken.IsCancellationRequested))
        {
            _isBroken = true;
            throw new IOException("The message's sender or the connection to it was lost.", e);
        }
        finally
        {
            _reading.Release();
        }
    }

    public override Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
        ReadAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

#pragma warning disable VSTHRD002 // What Stream offers: a handler that reads so blocks a thread of its own choice.
    public override int Read(byte[] buffer, int offset, int count) =>
        ReadAsync(buffer.AsMemory(offset, count), CancellationToken.None).AsTask().GetAwaiter().GetResult();
#pragma warning restore VSTHRD002

    public override void Flush()
    {
        // Nothing is written.
    }

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    /// <summary>The handler has returned, or is no longer waited for: it may not read on.</summary>
    public override async ValueTask DisposeAsync()
    {
        if (_isClosed) return;
        _isClosed = true;
        await _closing.CancelAsync().ConfigureAwait(false);
        await _reading.WaitAsync(CancellationToken.None).ConfigureAwait(false);
        _reading.Release();
        _closing.Dispose();
        await base.DisposeAsync().ConfigureAwait(false);
    }
}
