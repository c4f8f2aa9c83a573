namespace EventMesh.Transport.Ngtcp2.Internal;

/// <summary>
/// Opens our streams of one direction. It mirrors the peer's limit, so that opening one usually needs no turn of the loop, and numbers
/// them in the order of the calls, as ngtcp2 will; who finds the limit reached waits in that order.
/// </summary>
internal sealed class StreamOpener(Connection connection, StreamDirection direction)
{
    private readonly Lock _mutex = new();
    private readonly LinkedList<TaskCompletionSource<ITransportStream>> _waiters = [];

    // Opened by the application, not yet by ngtcp2; the peer's limit bounds it.
    private readonly Queue<QuicStream> _toOpen = new();
    private ulong _limit;
    private ulong _opened;
    private int _toOpenCount;
    private Failure? _failure;

    /// <summary>Whether the loop has streams to open.</summary>
    public bool HasWork => Volatile.Read(ref _toOpenCount) > 0;

    /// <summary>Opens a stream, now or in turn. A cancelled wait opens none.</summary>
    public ValueTask<ITransportStream> OpenAsync(CancellationToken cancellationToken)
    {
        LinkedListNode<TaskCompletionSource<ITransportStream>> turn;
        lock (_mutex)
        {
            if (cancellationToken.IsCancellationRequested)
                return ValueTask.FromCanceled<ITransportStream>(cancellationToken);
            if (_failure is not null)
                return ValueTask.FromException<ITransportStream>(_failure.ToException());
            if (_opened < _limit)
                return new ValueTask<ITransportStream>(OpenLocked());
            turn = _waiters.AddLast(new TaskCompletionSource<ITransportStream>(TaskCreationOptions.RunContinuationsAsynchronously));
        }
        return cancellationToken.CanBeCanceled ? WaitAsync(turn, cancellationToken) : new ValueTask<ITransportStream>(turn.Value.Task);
    }

    /// <summary>Notes the peer's limit and lets those in who wait.</summary>
    /// <param name="limit">The number of streams since the start of the connection.</param>
    public void OnLimit(ulong limit)
    {
        lock (_mutex)
        {
            _limit = Math.Max(_limit, limit);
            while (_opened < _limit && _waiters.First is { } first)
            {
                _waiters.RemoveFirst();
                first.Value.SetResult(OpenLocked());
            }
        }
    }

    /// <summary>Takes the next stream that ngtcp2 has to open.</summary>
    public QuicStream? TakeNext()
    {
        lock (_mutex)
        {
            if (!_toOpen.TryDequeue(out QuicStream? stream))
                return null;
            Volatile.Write(ref _toOpenCount, _toOpen.Count);
            return stream;
        }
    }

    /// <summary>The connection has ended: everybody who waits or comes later learns why.</summary>
    public void Fail(Failure failure)
    {
        QuicStream[] unopened;
        lock (_mutex)
        {
            _failure ??= failure;
            foreach (TaskCompletionSource<ITransportStream> waiter in _waiters)
                waiter.TrySetException(failure.ToException());
            _waiters.Clear();
            unopened = [.. _toOpen];
            _toOpen.Clear();
            Volatile.Write(ref _toOpenCount, 0);
        }
        foreach (QuicStream stream in unopened)
            stream.Fail(failure);
    }

    private QuicStream OpenLocked()
    {
        // RFC 9000 2.1: the lowest bit says who opened it, the next one its direction.
        ulong kind = (connection.IsDialer ? 0UL : 1UL) | (direction == StreamDirection.Unidirectional ? 2UL : 0UL);
        var stream = new QuicStream(connection, direction, isLocal: true, (long)((_opened++ << 2) | kind));
        _toOpen.Enqueue(stream);
        Volatile.Write(ref _toOpenCount, _toOpen.Count);
        return stream;
    }

    private async ValueTask<ITransportStream> WaitAsync(LinkedListNode<TaskCompletionSource<ITransportStream>> turn, CancellationToken cancellationToken)
    {
        using (cancellationToken.UnsafeRegister(static (state, token) =>
        {
            (StreamOpener opener, LinkedListNode<TaskCompletionSource<ITransportStream>> node) =
                ((StreamOpener, LinkedListNode<TaskCompletionSource<ITransportStream>>))state!;
            opener.Cancel(node, token);
        }, (this, turn)))
        {
            return await turn.Value.Task.ConfigureAwait(false);
        }
    }

    private void Cancel(LinkedListNode<TaskCompletionSource<ITransportStream>> turn, CancellationToken cancellationToken)
    {
        lock (_mutex)
        {
            if (turn.List is not null)
                _waiters.Remove(turn);
            turn.Value.TrySetCanceled(cancellationToken);
        }
    }
}
