namespace EventMesh.Wire;

/// <summary>
/// What the readers of one connection may collect at a time. A body takes all of its length before it is collected, in the order in which
/// they ask, so that bodies which do end never wait for each other.
/// </summary>
internal sealed class ByteBudget(long limit)
{
    private readonly Lock _mutex = new();

    // One for each stream at most: the stream limit bounds it.
    private readonly Queue<(int Bytes, TaskCompletionSource Turn)> _waiting = [];
    private long _left = limit;

    /// <summary>Takes bytes, and waits while too few are left. A cancelled wait takes none.</summary>
    public async ValueTask AcquireAsync(int bytes, CancellationToken cancellationToken)
    {
        TaskCompletionSource turn;
        lock (_mutex)
        {
            if (_waiting.Count == 0 && bytes <= _left)
            {
                _left -= bytes;
                return;
            }
            turn = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            _waiting.Enqueue((bytes, turn));
        }
        using CancellationTokenRegistration registration =
            cancellationToken.UnsafeRegister(static (state, token) => ((TaskCompletionSource)state!).TrySetCanceled(token), turn);
        await turn.Task.ConfigureAwait(false);
    }

    /// <summary>Gives bytes back.</summary>
    public void Release(int bytes)
    {
        lock (_mutex)
        {
            _left += bytes;
            while (_waiting.TryPeek(out (int Bytes, TaskCompletionSource Turn) next) && (next.Bytes <= _left || next.Turn.Task.IsCompleted))
            {
                _waiting.Dequeue();
                if (next.Turn.TrySetResult()) _left -= next.Bytes;
            }
        }
    }
}
