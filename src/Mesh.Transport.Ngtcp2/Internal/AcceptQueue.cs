namespace EventMesh.Transport.Ngtcp2.Internal;

/// <summary>What the peer opened and the application has not accepted; whoever enqueues keeps it bounded.</summary>
/// <typeparam name="T">Connections or streams.</typeparam>
/// <param name="onTaken">Told of each item as the application gets it.</param>
internal sealed class AcceptQueue<T>(Action<T>? onTaken = null)
    where T : class
{
    private readonly Lock _mutex = new();
    private readonly Queue<T> _items = new();
    private readonly LinkedList<TaskCompletionSource<T>> _waiters = [];
    private Func<Exception>? _ended;

    public int Count
    {
        get
        {
            lock (_mutex)
                return _items.Count;
        }
    }

    /// <summary>Adds an item, or hands it to who waits. False when the queue has ended or holds <paramref name="limit"/> items.</summary>
    public bool TryAdd(T item, int limit)
    {
        lock (_mutex)
        {
            if (_ended is not null)
                return false;
            if (_waiters.First is { } first)
            {
                _waiters.RemoveFirst();
                onTaken?.Invoke(item);
                first.Value.SetResult(item);
                return true;
            }
            if (_items.Count >= limit)
                return false;
            _items.Enqueue(item);
            return true;
        }
    }

    /// <summary>Takes the next item, or waits for it. A cancelled wait takes nothing.</summary>
    public ValueTask<T> TakeAsync(CancellationToken cancellationToken)
    {
        LinkedListNode<TaskCompletionSource<T>> turn;
        lock (_mutex)
        {
            if (cancellationToken.IsCancellationRequested)
                return ValueTask.FromCanceled<T>(cancellationToken);
            if (_ended is not null)
                return ValueTask.FromException<T>(_ended());
            if (_items.TryDequeue(out T? item))
            {
                onTaken?.Invoke(item);
                return new ValueTask<T>(item);
            }
            turn = _waiters.AddLast(new TaskCompletionSource<T>(TaskCreationOptions.RunContinuationsAsynchronously));
        }
        return cancellationToken.CanBeCanceled ? WaitAsync(turn, cancellationToken) : new ValueTask<T>(turn.Value.Task);
    }

    /// <summary>Takes out the items that are of no use any more.</summary>
    public void RemoveWhere(Predicate<T> useless)
    {
        lock (_mutex)
        {
            for (int i = _items.Count; i > 0; i--)
            {
                T item = _items.Dequeue();
                if (!useless(item))
                    _items.Enqueue(item);
            }
        }
    }

    /// <summary>Ends the queue: everybody who waits or comes later gets an exception of his own. Returns the items that nobody took.</summary>
    public T[] End(Func<Exception> reason)
    {
        lock (_mutex)
        {
            _ended ??= reason;
            T[] left = [.. _items];
            _items.Clear();
            foreach (TaskCompletionSource<T> waiter in _waiters)
                waiter.TrySetException(reason());
            _waiters.Clear();
            return left;
        }
    }

    private async ValueTask<T> WaitAsync(LinkedListNode<TaskCompletionSource<T>> turn, CancellationToken cancellationToken)
    {
        using (cancellationToken.UnsafeRegister(static (state, token) =>
        {
            (AcceptQueue<T> queue, LinkedListNode<TaskCompletionSource<T>> node) = ((AcceptQueue<T>, LinkedListNode<TaskCompletionSource<T>>))state!;
            queue.Cancel(node, token);
        }, (this, turn)))
        {
            return await turn.Value.Task.ConfigureAwait(false);
        }
    }

    private void Cancel(LinkedListNode<TaskCompletionSource<T>> turn, CancellationToken cancellationToken)
    {
        lock (_mutex)
        {
            if (turn.List is not null)
                _waiters.Remove(turn);
            turn.Value.TrySetCanceled(cancellationToken);
        }
    }
}
