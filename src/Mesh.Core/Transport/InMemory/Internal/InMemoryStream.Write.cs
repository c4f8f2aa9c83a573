namespace EventMesh.Transport.InMemory.Internal;

internal sealed partial class InMemoryStream
{
    private const int MaxPiece = 64 * 1024;

    private readonly Queue<ReadOnlyMemory<byte>> _queue = new();
    private readonly int _sendBuffer;
    private Waiter<bool>? _pendingWrite;
    private ReadOnlyMemory<byte> _pendingData;
    private bool _pendingEnd;
    private Waiter<bool>? _acknowledged;
    private Failure? _writeFailure;
    // The part of the queue's first piece that has been sent.
    private int _headSent;
    // Bytes in the queue or under way.
    private long _unacknowledged;
    private long _sent;
    private long _sendLimit;
    private bool _isEnded;
    private bool _isEndSent;
    private bool _isEndAcknowledged;
    private bool _isWaitingForWindow;

    public Task WritesAcknowledged
    {
        get
        {
            lock (Mutex)
            {
                if (!CanWrite)
                    return Task.CompletedTask;
                if (_acknowledged is null)
                {
                    _acknowledged = new Waiter<bool>(_connection.Scheduler);
                    if (IsAcknowledged)
                        _acknowledged.Succeed(true);
                    else if ((_writeFailure ?? _connection.Failure) is { } failure)
                        _acknowledged.Fail(failure.ToException());
                }
                return _acknowledged.Task;
            }
        }
    }

    private bool IsAcknowledged => _isEndAcknowledged && _unacknowledged == 0;

    public ValueTask WriteAsync(ReadOnlyMemory<byte> data, bool endStream, CancellationToken cancellationToken)
    {
        if (!CanWrite)
            throw new InvalidOperationException("The stream can't be written: the peer opened it one way.");
        lock (Mutex)
        {
            if (_pendingWrite is not null)
                throw new InvalidOperationException("A write is under way.");
            if (_isEnded)
                throw new InvalidOperationException("The write side was ended.");
            if ((_writeFailure ?? _connection.Failure) is { } failure)
                return ValueTask.FromException(failure.ToException());
            if (cancellationToken.IsCancellationRequested)
            {
                AbortWrites(new Failure(MeshError.Aborted, null, "A write was cancelled."), 0);
                return ValueTask.FromCanceled(cancellationToken);
            }
            int taken = Take(data);
            if (taken == data.Length)
            {
                _isEnded = endStream;
                Flush();
                return ValueTask.CompletedTask;
            }
            _pendingData = data[taken..];
            _pendingEnd = endStream;
            Flush();
            var waiter = new Waiter<bool>(_connection.Scheduler);
            _pendingWrite = waiter;
            waiter.CancelledBy(CancelWrite, cancellationToken);
            return new ValueTask(waiter.Task);
        }
    }

    public void Reset(ulong code)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(code, MaxCode);
        lock (Mutex)
        {
            if (CanWrite)
                AbortWrites(new Failure(MeshError.Aborted, null, $"This side reset the stream with code {code}."), code);
        }
    }

    /// <summary>Goes on when the connection's window has been widened.</summary>
    public void Resume()
    {
        _isWaitingForWindow = false;
        Flush();
    }

    private void Flush()
    {
        if (_writeFailure is not null || _connection.HasEnded)
            return;
        while (_queue.TryPeek(out ReadOnlyMemory<byte> head))
        {
            if (_connection.SendRoom <= 0 && !_isWaitingForWindow)
            {
                _isWaitingForWindow = true;
                _connection.WaitForWindow(this);
            }
            int count = (int)Math.Min(head.Length - _headSent, Math.Min(_sendLimit - _sent, _connection.SendRoom));
            if (count <= 0)
                return;
            ReadOnlyMemory<byte> piece = head.Slice(_headSent, count);
            _headSent += count;
            if (_headSent == head.Length)
            {
                _queue.Dequeue();
                _headSent = 0;
            }
            SendData(piece, _isEnded && _queue.Count == 0);
        }
        if (_isEnded && !_isEndSent)
            SendData(default, isEnd: true);
    }

    private void SendData(ReadOnlyMemory<byte> piece, bool isEnd)
    {
        long offset = _sent;
        _sent += piece.Length;
        _isEndSent = isEnd;
        _connection.CountStreamBytes(piece.Length);
        _connection.Send(new Packet(_connection, PacketKind.Data)
        {
            StreamId = Id,
            Direction = Direction,
            Number = offset,
            Data = piece,
            IsEnd = isEnd,
        });
    }

    /// <summary>Copies what the send buffer has room for.</summary>
    private int Take(ReadOnlyMemory<byte> data)
    {
        int taken = (int)Math.Min(data.Length, Math.Max(0, _sendBuffer - _unacknowledged));
        for (int at = 0; at < taken; at += MaxPiece)
            _queue.Enqueue(data.Slice(at, Math.Min(MaxPiece, taken - at)).ToArray());
        _unacknowledged += taken;
        return taken;
    }

    private void OnAck(Packet packet)
    {
        if (_writeFailure is not null)
            return;
        _unacknowledged -= packet.Number;
        _isEndAcknowledged |= packet.IsEnd;
        if (_pendingWrite is not null)
        {
            _pendingData = _pendingData[Take(_pendingData)..];
            if (_pendingData.IsEmpty)
            {
                _isEnded = _pendingEnd;
                _pendingWrite.Succeed(true);
                _pendingWrite = null;
            }
            Flush();
        }
        if (IsAcknowledged)
            _acknowledged?.Succeed(true);
    }

    private void OnStopSending(Packet packet) => AbortWrites(
        new Failure(MeshError.ClosedByPeer, packet.Code, $"The peer stopped reading the stream with code {packet.Code}."), packet.Code);

    private void AbortWrites(Failure failure, ulong code)
    {
        if (_writeFailure is not null || IsAcknowledged || _connection.HasEnded)
            return;
        _writeFailure = failure;
        _queue.Clear();
        _headSent = 0;
        _pendingData = default;
        _pendingWrite?.Fail(failure.ToException());
        _pendingWrite = null;
        _acknowledged?.Fail(failure.ToException());
        Send(PacketKind.Reset, _sent, code);
        FinishWhenDone();
    }

    private void CancelWrite(Waiter<bool> waiter)
    {
        lock (Mutex)
        {
            if (_pendingWrite != waiter)
                return;
            _pendingWrite = null;
            waiter.Cancel();
            AbortWrites(new Failure(MeshError.Aborted, null, "A write was cancelled."), 0);
        }
    }
}
