namespace EventMesh.Transport.InMemory.Internal;

internal sealed partial class InMemoryStream
{
    private readonly Queue<ReadOnlyMemory<byte>> _ready = new();
    private readonly long _window;
    private SortedList<long, ReadOnlyMemory<byte>>? _ahead;
    private Waiter<int>? _pendingRead;
    private Memory<byte> _pendingBuffer;
    private Failure? _readFailure;
    // The part of the first ready piece that has been read.
    private int _headRead;
    // Bytes that have arrived, in order or not; those that have arrived without a gap; those read or dropped.
    private long _received;
    private long _contiguous;
    private long _consumed;
    private long _advertised;
    private long _finalSize = -1;

    private bool HasAllArrived => _finalSize >= 0 && _received == _finalSize;

    private bool IsReadDone => HasAllArrived && (_consumed == _finalSize || _readFailure is not null);

    public ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken)
    {
        if (!CanRead)
            throw new InvalidOperationException("The stream can't be read: this side opened it one way.");
        if (buffer.IsEmpty)
            throw new ArgumentException("The buffer is empty.", nameof(buffer));
        lock (Mutex)
        {
            if (_pendingRead is not null)
                throw new InvalidOperationException("A read is under way.");
            if (cancellationToken.IsCancellationRequested)
                return ValueTask.FromCanceled<int>(cancellationToken);
            if ((_readFailure ?? _connection.Failure) is { } failure)
                return ValueTask.FromException<int>(failure.ToException());
            if (TryRead(buffer, out int count))
            {
                FinishWhenDone();
                return ValueTask.FromResult(count);
            }
            var waiter = new Waiter<int>(_connection.Scheduler);
            _pendingBuffer = buffer;
            _pendingRead = waiter;
            waiter.CancelledBy(CancelRead, cancellationToken);
            return new ValueTask<int>(waiter.Task);
        }
    }

    public void StopSending(ulong code)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(code, MaxCode);
        lock (Mutex)
            AbortReads($"This side stopped reading the stream with code {code}.", code);
    }

    private bool TryRead(Memory<byte> buffer, out int count)
    {
        count = 0;
        while (!buffer.IsEmpty && _ready.TryPeek(out ReadOnlyMemory<byte> head))
        {
            int part = Math.Min(buffer.Length, head.Length - _headRead);
            head.Slice(_headRead, part).CopyTo(buffer);
            buffer = buffer[part..];
            count += part;
            _headRead += part;
            if (_headRead == head.Length)
            {
                _ready.Dequeue();
                _headRead = 0;
            }
        }
        if (count == 0)
            return _finalSize == _consumed;
        _consumed += count;
        _connection.Consume(count);
        if (_finalSize < 0 && _consumed + _window - _advertised >= _window / 2)
        {
            _advertised = _consumed + _window;
            Send(PacketKind.MaxStreamData, _advertised);
        }
        return true;
    }

    private void OnData(Packet packet)
    {
        _received += packet.Data.Length;
        if (packet.IsEnd)
            _finalSize = packet.Number + packet.Data.Length;
        _connection.Send(new Packet(_connection, PacketKind.Ack)
        {
            StreamId = Id,
            Direction = Direction,
            Number = packet.Data.Length,
            IsEnd = packet.IsEnd,
            EchoedTime = packet.SentAt,
        });
        if (_readFailure is not null)
        {
            _connection.Consume(packet.Data.Length);
            return;
        }
        if (packet.Number == _contiguous)
        {
            Append(packet.Data);
            while (_ahead is { Count: > 0 } && _ahead.GetKeyAtIndex(0) == _contiguous)
            {
                ReadOnlyMemory<byte> next = _ahead.GetValueAtIndex(0);
                _ahead.RemoveAt(0);
                Append(next);
            }
        }
        else if (!packet.Data.IsEmpty)
        {
            (_ahead ??= []).Add(packet.Number, packet.Data);
        }
        if (_pendingRead is { } waiter && TryRead(_pendingBuffer, out int count))
        {
            _pendingRead = null;
            _pendingBuffer = default;
            waiter.Succeed(count);
        }
    }

    private void Append(ReadOnlyMemory<byte> data)
    {
        if (data.IsEmpty)
            return;
        _ready.Enqueue(data);
        _contiguous += data.Length;
    }

    private void OnReset(Packet packet)
    {
        // What has arrived completely stays readable (RFC 9000 3.2).
        if (HasAllArrived)
            return;
        _finalSize = packet.Number;
        FailReads(new Failure(MeshError.ClosedByPeer, packet.Code, $"The peer reset the stream with code {packet.Code}."));
    }

    private void AbortReads(string detail, ulong code)
    {
        if (!CanRead || _readFailure is not null || _connection.HasEnded || IsReadDone)
            return;
        FailReads(new Failure(MeshError.Aborted, null, detail));
        if (_finalSize < 0)
            Send(PacketKind.StopSending, code: code);
        FinishWhenDone();
    }

    private void FailReads(Failure failure)
    {
        if (_readFailure is not null)
            return;
        _readFailure = failure;
        long dropped = _received - _consumed;
        _ready.Clear();
        _headRead = 0;
        _ahead = null;
        _pendingRead?.Fail(failure.ToException());
        _pendingRead = null;
        _pendingBuffer = default;
        if (dropped > 0)
            _connection.Consume(dropped);
    }

    private void CancelRead(Waiter<int> waiter)
    {
        lock (Mutex)
        {
            if (_pendingRead != waiter)
                return;
            _pendingRead = null;
            _pendingBuffer = default;
            waiter.Cancel();
        }
    }
}
