using System.Threading.Tasks.Sources;
using EventMesh.Transport.Ngtcp2.Interop;

namespace EventMesh.Transport.Ngtcp2.Internal;

/// <summary>
/// The sending half of a stream (RFC 9000 3.1): the application appends to a bounded buffer, the loop thread takes from it,
/// acknowledgements free it and wake a writer that waits for room.
/// </summary>
internal sealed class SendSide : IValueTaskSource
{
    // A write above the buffer's size goes in pieces of this, so that it waits in between.
    private const int PieceBytes = 64 * 1024;

    private readonly QuicStream _stream;
    private readonly NativeBufferPool _pool;
    private readonly int _limit;

    private SendBuffer _buffer;
    private SendState _state;
    private Failure? _failure;
    private bool _endTaken;
    private bool _endAlone;
    private bool _endAcknowledged;
    private ulong? _resetToSend;

    private bool _writing;
    private bool _inPieces;
    private bool _waiting;
    private ManualResetValueTaskSourceCore<bool> _write = new() { RunContinuationsAsynchronously = true };
    private CancellationTokenRegistration _cancellation;
    private TaskCompletionSource? _acknowledged;

    public SendSide(QuicStream stream, NativeBufferPool pool, int limit)
    {
        _stream = stream;
        _pool = pool;
        _limit = limit;
    }

    private enum SendState
    {
        Open,
        Ended,
        Acknowledged,
        Failed,
    }

    /// <summary>Whether the loop has bytes or the end to take.</summary>
    public bool HasWork
    {
        get
        {
            lock (_stream.Mutex)
                return HasWorkLocked;
        }
    }

    public Task AcknowledgedTask
    {
        get
        {
            TaskCompletionSource source;
            lock (_stream.Mutex)
            {
                if (_state == SendState.Acknowledged)
                    return Task.CompletedTask;
                source = _acknowledged ??= new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
                if (_state == SendState.Failed)
                    Fault(source, _failure!);
            }
            return source.Task;
        }
    }

    private bool HasWorkLocked => _state is SendState.Open or SendState.Ended && (_buffer.Sent < _buffer.Written || (_state == SendState.Ended && !_endTaken));

    // ---- the application's side ----

    public ValueTask WriteAsync(ReadOnlyMemory<byte> data, bool end, CancellationToken cancellationToken)
    {
        if (data.Length <= _limit)
            return WritePiece(data, end, inPieces: false, cancellationToken);
        lock (_stream.Mutex)
        {
            if (FindObstacleLocked() is { } failure)
                return ValueTask.FromException(failure.ToException());
            _writing = _inPieces = true;
        }
        return WritePiecesAsync(data, end, cancellationToken);
    }

    public void Reset(ulong code)
    {
        bool wake;
        lock (_stream.Mutex)
        {
            if (_state is SendState.Acknowledged or SendState.Failed)
                return;
            _resetToSend = code;
            wake = FailLocked(Failure.WriteAborted);
        }
        if (wake)
            _write.SetException(Failure.WriteAborted.ToException());
        _stream.Post();
    }

    /// <summary>Resets the side unless it was ended: what was written before the end is still delivered.</summary>
    public void Abandon()
    {
        lock (_stream.Mutex)
        {
            if (_state != SendState.Open)
                return;
        }
        Reset(0);
    }

    // ---- the loop's side ----

    /// <summary>Points at what to send next; false when there is nothing.</summary>
    /// <param name="vector">Where the places of the bytes go.</param>
    /// <param name="capacity">How many places there are.</param>
    /// <param name="batch">How much it is, and whether the stream ends with it.</param>
    public unsafe bool TryGather(ngtcp2_vec* vector, int capacity, out SendBatch batch)
    {
        lock (_stream.Mutex)
        {
            batch = default;
            if (!HasWorkLocked)
                return false;
            int count = _buffer.Gather(vector, capacity, out long covered);
            batch = new SendBatch(count, covered, _state == SendState.Ended && _buffer.Sent + covered == _buffer.Written);
            return true;
        }
    }

    /// <summary>Notes what ngtcp2 has taken, and whether more is left.</summary>
    public bool Advance(long count, bool end)
    {
        lock (_stream.Mutex)
        {
            _buffer.Advance(count);
            if (end)
            {
                _endTaken = true;
                _endAlone = count == 0;
            }
            return HasWorkLocked;
        }
    }

    /// <summary>Notes an acknowledgement; true when only ngtcp2 knows whether the end has been acknowledged.</summary>
    /// <param name="offset">The first byte newly acknowledged.</param>
    /// <param name="length">How many; zero tells of the end of the stream alone.</param>
    public bool OnAcknowledged(long offset, long length)
    {
        bool wake = false;
        bool uncertain = false;
        TaskCompletionSource? acknowledged = null;
        lock (_stream.Mutex)
        {
            if (_state is SendState.Acknowledged or SendState.Failed)
                return false;
            _buffer.Acknowledge(_pool, offset + length);
            _endAcknowledged |= length == 0;
            if (_state == SendState.Ended && _endTaken && _buffer.Unacknowledged == 0)
            {
                // An end that went with the last byte is acknowledged with it. One that went alone is reported alone, except when a
                // retransmission has put both into one frame.
                if (_endAcknowledged || !_endAlone)
                    acknowledged = AcknowledgeLocked();
                else
                    uncertain = true;
            }
            if (_waiting && _buffer.Unacknowledged <= _limit / 2)
            {
                _waiting = false;
                wake = true;
            }
        }
        acknowledged?.TrySetResult();
        if (wake)
            _write.SetResult(true);
        return uncertain;
    }

    /// <summary>Settles an acknowledgement that <see cref="OnAcknowledged"/> had to leave open: nothing is in flight any more.</summary>
    public void OnNothingInFlight()
    {
        TaskCompletionSource? acknowledged = null;
        lock (_stream.Mutex)
        {
            if (_state == SendState.Ended && _endTaken && _buffer.Unacknowledged == 0)
                acknowledged = AcknowledgeLocked();
        }
        acknowledged?.TrySetResult();
    }

    /// <summary>ngtcp2 has forgotten the stream: everything is acknowledged, or a reset is.</summary>
    public void OnClosed(ulong? code)
    {
        // Only this thread acknowledges, and what is acknowledged has been freed.
        if (_state == SendState.Acknowledged)
            return;
        OnNothingInFlight();
        Fail(Failure.StoppedByPeer(code ?? 0));
        Release();
    }

    /// <summary>Ends the side; a writer that waits learns why.</summary>
    public void Fail(Failure failure)
    {
        bool wake;
        lock (_stream.Mutex)
            wake = FailLocked(failure);
        if (wake)
            _write.SetException(failure.ToException());
    }

    /// <summary>What to tell ngtcp2: a reset, and whether there are bytes or the end to take.</summary>
    public bool TakeFeedback(out ulong? reset)
    {
        lock (_stream.Mutex)
        {
            reset = _resetToSend;
            _resetToSend = null;
            return HasWorkLocked;
        }
    }

    /// <summary>Frees the buffer: ngtcp2 holds no pointer into it any more.</summary>
    public void Release()
    {
        lock (_stream.Mutex)
            _buffer.Clear(_pool);
    }

    // ---- IValueTaskSource: a write that waits for room ----

    void IValueTaskSource.GetResult(short token)
    {
        _cancellation.Dispose();
        _cancellation = default;
        try
        {
            _write.GetResult(token);
        }
        finally
        {
            Volatile.Write(ref _writing, _inPieces);
        }
    }

    ValueTaskSourceStatus IValueTaskSource.GetStatus(short token) => _write.GetStatus(token);

    void IValueTaskSource.OnCompleted(Action<object?> continuation, object? state, short token, ValueTaskSourceOnCompletedFlags flags) =>
        _write.OnCompleted(continuation, state, token, flags);

    /// <summary>Why nothing can be written; throws when the caller should have known.</summary>
    private Failure? FindObstacleLocked()
    {
        if (Volatile.Read(ref _writing))
            throw new InvalidOperationException("A write of this stream is under way.");
        return _state switch
        {
            SendState.Open => null,
            SendState.Failed => _failure,
            _ => throw new InvalidOperationException("The write side of this stream was ended."),
        };
    }

    private ValueTask WritePiece(ReadOnlyMemory<byte> data, bool end, bool inPieces, CancellationToken cancellationToken)
    {
        ValueTask result = default;
        bool waits = false;
        bool cancelled = cancellationToken.IsCancellationRequested;
        lock (_stream.Mutex)
        {
            if ((inPieces ? _failure : FindObstacleLocked()) is { } failure)
                return ValueTask.FromException(failure.ToException());
            if (!cancelled)
                waits = AppendLocked(data.Span, end);
            if (waits)
                result = new ValueTask(this, _write.Version);
        }
        if (cancelled)
        {
            Reset(0);
            return ValueTask.FromCanceled(cancellationToken);
        }
        _stream.Post();
        // After the lock, since an already cancelled token calls back at once; before the caller can await, so GetResult sees it.
        if (waits && cancellationToken.CanBeCanceled)
            _cancellation = cancellationToken.UnsafeRegister(static (side, token) => ((SendSide)side!).OnCancelled(token), this);
        return result;
    }

    /// <summary>Takes the bytes; true when the writer has to wait for room.</summary>
    private bool AppendLocked(ReadOnlySpan<byte> data, bool end)
    {
        _buffer.Append(_pool, data);
        if (end)
            _state = SendState.Ended;
        if (_buffer.Unacknowledged <= _limit)
            return false;
        _writing = _waiting = true;
        _write.Reset();
        return true;
    }

    private async ValueTask WritePiecesAsync(ReadOnlyMemory<byte> data, bool end, CancellationToken cancellationToken)
    {
        try
        {
            while (data.Length > PieceBytes)
            {
                await WritePiece(data[..PieceBytes], end: false, inPieces: true, cancellationToken).ConfigureAwait(false);
                data = data[PieceBytes..];
            }
            await WritePiece(data, end, inPieces: true, cancellationToken).ConfigureAwait(false);
        }
        finally
        {
            lock (_stream.Mutex)
                _writing = _inPieces = false;
        }
    }

    private void OnCancelled(CancellationToken cancellationToken)
    {
        lock (_stream.Mutex)
        {
            if (!_waiting)
                return;
            _waiting = false;
            _resetToSend = 0;
            _ = FailLocked(Failure.WriteAborted);
        }
        _write.SetException(new OperationCanceledException(cancellationToken));
        _stream.Post();
    }

    /// <summary>Returns whether a writer has to be woken. The buffer stays: ngtcp2 may still point into it.</summary>
    private bool FailLocked(Failure failure)
    {
        if (_state is SendState.Acknowledged or SendState.Failed)
            return false;
        _state = SendState.Failed;
        _failure = failure;
        bool wake = _waiting;
        _waiting = false;
        if (_acknowledged is not null)
            Fault(_acknowledged, failure);
        return wake;
    }

    private TaskCompletionSource? AcknowledgeLocked()
    {
        _state = SendState.Acknowledged;
        return _acknowledged;
    }

    private static void Fault(TaskCompletionSource source, Failure failure)
    {
        if (source.TrySetException(failure.ToException()))
            _ = source.Task.Exception; // observed: nobody has to look at the task
    }
}
