namespace EventMesh.Journal.Internal;

/// <summary>Up to which place the log is durable, and who waits for it to get further.</summary>
internal sealed class DurabilityGate
{
    private readonly Lock _mutex = new();
    // By place, so that a step of the writer touches only those that it releases. A waiter that gave up stays until its place is
    // reached: the queue's capacity bounds how far that is.
    private readonly PriorityQueue<TaskCompletionSource, long> _waiting = new();
    private MeshException? _failure;
    private long _last;

    public long Last => Volatile.Read(ref _last);

    public Task WhenAsync(long nodeSeq, CancellationToken cancellationToken)
    {
        if (nodeSeq <= Last)
            return Task.CompletedTask;
        var source = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        lock (_mutex)
        {
            if (nodeSeq <= _last)
                return Task.CompletedTask;
            if (_failure is not null)
                return Task.FromException(_failure);
            _waiting.Enqueue(source, nodeSeq);
        }
        return source.Task.WaitAsync(cancellationToken);
    }

    public void Advance(long nodeSeq)
    {
        lock (_mutex)
        {
            if (nodeSeq <= _last)
                return;
            Volatile.Write(ref _last, nodeSeq);
            while (_waiting.TryPeek(out _, out long place) && place <= nodeSeq)
                _waiting.Dequeue().TrySetResult();
        }
    }

    /// <summary>What is not durable now will never be.</summary>
    public void Fail(MeshException failure)
    {
        lock (_mutex)
        {
            _failure ??= failure;
            while (_waiting.TryDequeue(out TaskCompletionSource? source, out _))
            {
                source.TrySetException(_failure);
                // Whoever gave up does not look at it any more.
                _ = source.Task.Exception;
            }
        }
    }
}
