using System.Threading.Tasks.Sources;

namespace EventMesh.Transport.Ngtcp2.Internal;

/// <summary>
/// The receiving half of a stream (RFC 9000 3.2): the loop thread stores what arrives, or copies it straight to a reader
/// that waits; reading gives the windows back.
/// </summary>
internal sealed class ReceiveSide : IValueTaskSource<int>
{
    private readonly QuicStream _stream;
    private readonly NativeBufferPool _pool;
    private readonly long _windowStep;

    private ReceiveBuffer _buffer;
    private Failure? _failure;
    private bool _endReceived;
    private bool _finished;
    private long _windowToReturn;
    private ulong? _stopToSend;

    private bool _reading;
    private bool _waiting;
    private Memory<byte> _destination;
    private ManualResetValueTaskSourceCore<int> _read = new() { RunContinuationsAsynchronously = true };
    private CancellationTokenRegistration _cancellation;

    public ReceiveSide(QuicStream stream, NativeBufferPool pool, int window)
    {
        _stream = stream;
        _pool = pool;
        _windowStep = Math.Max(1, window / 8);
    }

    // ---- the application's side ----

    public ValueTask<int> ReadAsync(Memory<byte> destination, CancellationToken cancellationToken)
    {
        if (destination.IsEmpty)
            throw new ArgumentException("The buffer is empty.", nameof(destination));
        int count;
        bool post;
        lock (_stream.Mutex)
        {
            if (Volatile.Read(ref _reading))
                throw new InvalidOperationException("A read of this stream is under way.");
            if (cancellationToken.IsCancellationRequested)
                return ValueTask.FromCanceled<int>(cancellationToken);
            if (_failure is not null)
                return ValueTask.FromException<int>(_failure.ToException());
            if (_buffer.Available == 0 && !_endReceived)
            {
                _reading = _waiting = true;
                _destination = destination;
                _read.Reset();
                count = -1;
                post = false;
            }
            else
            {
                count = _buffer.Read(_pool, destination.Span);
                post = OnConsumedLocked(count);
            }
        }
        if (count >= 0)
        {
            if (post)
                _stream.Post();
            return new ValueTask<int>(count);
        }
        _stream.PostIfUnopened();
        // After the lock, since an already cancelled token calls back at once; before the caller can await, so GetResult sees it.
        if (cancellationToken.CanBeCanceled)
            _cancellation = cancellationToken.UnsafeRegister(static (side, token) => ((ReceiveSide)side!).OnCancelled(token), this);
        return new ValueTask<int>(this, _read.Version);
    }

    public void Stop(ulong code)
    {
        if (Volatile.Read(ref _finished))
            return;
        bool wake;
        lock (_stream.Mutex)
        {
            if (_failure is not null || _finished)
                return;
            if (!_endReceived)
                _stopToSend = code;
            wake = FailLocked(Failure.ReadAborted);
        }
        if (wake)
            _read.SetException(Failure.ReadAborted.ToException());
        _stream.Post();
    }

    // ---- the loop's side ----

    /// <summary>Takes bytes that have arrived in order; returns those that went straight to a reader.</summary>
    public int OnData(ReadOnlySpan<byte> data, bool end)
    {
        int direct = 0;
        bool wake = false;
        lock (_stream.Mutex)
        {
            _endReceived |= end;
            if (_failure is not null)
            {
                _stream.Connection.ReturnWindow(data.Length);
                return 0;
            }
            if (_waiting)
            {
                direct = Math.Min(data.Length, _destination.Length);
                data[..direct].CopyTo(_destination.Span);
                data = data[direct..];
                _waiting = false;
                _destination = default;
                wake = true;
                _stream.Connection.ReturnWindow(direct);
            }
            _buffer.Append(_pool, data, end);
            if (_endReceived && _buffer.Available == 0 && wake)
                FinishLocked();
        }
        if (wake)
            _read.SetResult(direct);
        return _endReceived ? 0 : direct;
    }

    public void OnReset(ulong code)
    {
        // All of it is here already: the reset comes too late (RFC 9000 3.2, "Data Recvd"). Only this thread notes the end.
        if (_endReceived)
            return;
        Failure failure = Failure.ResetByPeer(code);
        bool wake;
        lock (_stream.Mutex)
        {
            if (_failure is not null)
                return;
            wake = FailLocked(failure);
        }
        if (wake)
            _read.SetException(failure.ToException());
    }

    /// <summary>The connection has ended: what was not read is dropped.</summary>
    public void Fail(Failure failure)
    {
        bool wake;
        lock (_stream.Mutex)
        {
            if (_failure is not null)
                return;
            wake = FailLocked(failure);
        }
        if (wake)
            _read.SetException(failure.ToException());
    }

    /// <summary>What to tell the peer: stream window to return, and a wish that it stops.</summary>
    public (long Window, ulong? Stop) TakeFeedback()
    {
        lock (_stream.Mutex)
        {
            (long, ulong?) feedback = (_windowToReturn, _stopToSend);
            _windowToReturn = 0;
            _stopToSend = null;
            return feedback;
        }
    }

    // ---- IValueTaskSource: a read that waits for bytes ----

    int IValueTaskSource<int>.GetResult(short token)
    {
        _cancellation.Dispose();
        _cancellation = default;
        try
        {
            return _read.GetResult(token);
        }
        finally
        {
            Volatile.Write(ref _reading, false);
        }
    }

    ValueTaskSourceStatus IValueTaskSource<int>.GetStatus(short token) => _read.GetStatus(token);

    void IValueTaskSource<int>.OnCompleted(Action<object?> continuation, object? state, short token, ValueTaskSourceOnCompletedFlags flags) =>
        _read.OnCompleted(continuation, state, token, flags);

    private void OnCancelled(CancellationToken cancellationToken)
    {
        lock (_stream.Mutex)
        {
            if (!_waiting)
                return;
            _waiting = false;
            _destination = default;
        }
        _read.SetException(new OperationCanceledException(cancellationToken));
    }

    /// <summary>Gives windows back for bytes read; true when the peer should hear of it soon.</summary>
    private bool OnConsumedLocked(int count)
    {
        _stream.Connection.ReturnWindow(count);
        if (_endReceived)
        {
            if (_buffer.Available == 0)
                FinishLocked();
            return false;
        }
        _windowToReturn += count;
        return _windowToReturn >= _windowStep;
    }

    private bool FailLocked(Failure failure)
    {
        _failure = failure;
        _stream.Connection.ReturnWindow(_buffer.Available);
        _buffer.Clear(_pool);
        _destination = default;
        bool wake = _waiting;
        _waiting = false;
        FinishLocked();
        return wake;
    }

    private void FinishLocked()
    {
        Volatile.Write(ref _finished, true);
        _stream.OnReadFinished();
    }
}
