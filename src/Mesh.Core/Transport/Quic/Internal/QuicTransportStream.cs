using System.Net.Quic;
using System.Runtime.Versioning;

namespace EventMesh.Transport.Quic.Internal;

[SupportedOSPlatform("linux")]
[SupportedOSPlatform("macos")]
[SupportedOSPlatform("windows")]
internal sealed class QuicTransportStream(QuicTransportConnection connection, QuicStream inner) : ITransportStream
{
    private const ulong MaxCode = (1UL << 62) - 1;
    private const int CarrySize = 16 * 1024;

    private readonly Lock _mutex = new();
    private bool _isWriting;
    private bool _isEnded;
    private bool _isWriteAborted;
    private bool _isReading;
    private bool _isReadAborted;
    private bool _isDisposed;
    private Task? _acknowledged;

    // A read that outlives its cancelled caller, and what it brought.
    private Task<int>? _carryRead;
    private byte[]? _carryBuffer;
    private ReadOnlyMemory<byte> _carry;

    public long Id => inner.Id;

    public StreamDirection Direction => inner.Type == QuicStreamType.Unidirectional ? StreamDirection.Unidirectional : StreamDirection.Bidirectional;

    public bool CanRead { get; } = inner.CanRead;

    public bool CanWrite { get; } = inner.CanWrite;

    public Task WritesAcknowledged
    {
        get
        {
            if (!CanWrite)
                return Task.CompletedTask;
            lock (_mutex)
                return _acknowledged ??= Observe(AcknowledgedAsync());
        }
    }

    public async ValueTask WriteAsync(ReadOnlyMemory<byte> data, bool endStream, CancellationToken cancellationToken)
    {
        if (!CanWrite)
            throw new InvalidOperationException("The stream can't be written: the peer opened it one way.");
        lock (_mutex)
        {
            if (_isWriting)
                throw new InvalidOperationException("A write is under way.");
            if (_isEnded)
                throw new InvalidOperationException("The write side was ended.");
            if (_isWriteAborted)
                throw Aborted("The write side was aborted on this side.");
            connection.ThrowIfEnded();
            _isWriting = true;
        }
        try
        {
            if (cancellationToken.IsCancellationRequested)
            {
                AbortWrites(0);
                cancellationToken.ThrowIfCancellationRequested();
            }
            await inner.WriteAsync(data, endStream, cancellationToken).ConfigureAwait(false);
            connection.CountSent(data.Length);
            lock (_mutex)
                _isEnded = endStream;
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            // The runtime has reset the stream with the default code, which is 0.
            lock (_mutex)
                _isWriteAborted = true;
            throw;
        }
        catch (Exception exception) when (exception is not InvalidOperationException || exception is ObjectDisposedException)
        {
            throw connection.Translate(exception);
        }
        finally
        {
            lock (_mutex)
                _isWriting = false;
        }
    }

    /// <summary>
    /// Cancelling a read of the runtime stops the stream. So a read that can be cancelled goes to a buffer of ours, and the next
    /// one takes it over.
    /// </summary>
    public async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken)
    {
        if (!CanRead)
            throw new InvalidOperationException("The stream can't be read: this side opened it one way.");
        if (buffer.IsEmpty)
            throw new ArgumentException("The buffer is empty.", nameof(buffer));
        lock (_mutex)
        {
            if (_isReading)
                throw new InvalidOperationException("A read is under way.");
            _isReading = true;
        }
        try
        {
            cancellationToken.ThrowIfCancellationRequested();
            ThrowIfReadAborted();
            connection.ThrowIfEnded();
            if (!_carry.IsEmpty)
                return TakeCarry(buffer);
            if (_carryRead is null && !cancellationToken.CanBeCanceled)
            {
                int count = await inner.ReadAsync(buffer, CancellationToken.None).ConfigureAwait(false);
                connection.CountReceived(count);
                return count;
            }
            _carryBuffer ??= new byte[CarrySize];
            _carryRead ??= Observe(inner.ReadAsync(_carryBuffer, CancellationToken.None).AsTask());
            int carried = await _carryRead.WaitAsync(cancellationToken).ConfigureAwait(false);
            _carryRead = null;
            connection.CountReceived(carried);
            ThrowIfReadAborted();
            _carry = _carryBuffer.AsMemory(0, carried);
            return TakeCarry(buffer);
        }
        catch (Exception exception) when (exception is not OperationCanceledException)
        {
            throw connection.Translate(exception);
        }
        finally
        {
            lock (_mutex)
                _isReading = false;
        }
    }

    public void Reset(ulong code)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(code, MaxCode);
        if (CanWrite)
            AbortWrites(code);
    }

    public void StopSending(ulong code)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(code, MaxCode);
        if (!CanRead)
            return;
        lock (_mutex)
        {
            if (_isReadAborted || _isDisposed)
                return;
            // What has been read to the end, or was reset by the peer, stays what it is.
            _isReadAborted = !inner.ReadsClosed.IsCompleted;
        }
        TryAbort(QuicAbortDirection.Read, code);
    }

    public ValueTask DisposeAsync()
    {
        bool isUnended;
        lock (_mutex)
        {
            if (_isDisposed)
                return ValueTask.CompletedTask;
            isUnended = CanWrite && !_isEnded;
        }
        if (isUnended)
            AbortWrites(0);
        StopSending(0);
        lock (_mutex)
        {
            if (_isDisposed)
                return ValueTask.CompletedTask;
            _isDisposed = true;
        }
        connection.DisposeInBackground(inner);
        return ValueTask.CompletedTask;
    }

    private int TakeCarry(Memory<byte> buffer)
    {
        int count = Math.Min(buffer.Length, _carry.Length);
        _carry[..count].CopyTo(buffer);
        _carry = _carry[count..];
        return count;
    }

    private void ThrowIfReadAborted()
    {
        lock (_mutex)
        {
            if (_isReadAborted)
                throw Aborted("The read side was aborted on this side.");
        }
    }

    private void AbortWrites(ulong code)
    {
        lock (_mutex)
        {
            // Acknowledged, reset or stopped already: that stays.
            if (_isWriteAborted || _isDisposed || inner.WritesClosed.IsCompleted)
                return;
            _isWriteAborted = true;
        }
        TryAbort(QuicAbortDirection.Write, code);
    }

    private void TryAbort(QuicAbortDirection direction, ulong code)
    {
        try
        {
            inner.Abort(direction, (long)code);
        }
        catch (Exception exception) when (exception is QuicException or ObjectDisposedException)
        {
            // The connection has ended: nothing is left to abort.
        }
    }

    private async Task AcknowledgedAsync()
    {
        try
        {
            await inner.WritesClosed.ConfigureAwait(false);
        }
        catch (Exception exception)
        {
            throw connection.Translate(exception);
        }
    }

    private static MeshException Aborted(string message) => new(MeshError.Aborted, message);

    /// <summary>Nobody has to look at the failure of what he left.</summary>
    private static T Observe<T>(T task)
        where T : Task
    {
        _ = task.ContinueWith(static ended => _ = ended.Exception, CancellationToken.None,
            TaskContinuationOptions.ExecuteSynchronously | TaskContinuationOptions.OnlyOnFaulted, TaskScheduler.Default);
        return task;
    }
}
