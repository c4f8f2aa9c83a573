namespace EventMesh.Sessions.Internal;

/// <summary>Owns the tasks of one owner that nobody awaits one by one, so that the owner can await them all at its end.</summary>
internal sealed class TaskTracker
{
    private readonly Lock _mutex = new();
    private readonly TaskCompletionSource _idle = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private int _running;
    private bool _isClosed;

    /// <summary>How many run now.</summary>
    public int Running
    {
        get { lock (_mutex) return _running; }
    }

    /// <summary>Runs a task that must not fail; false when the tracker is closed.</summary>
    public bool TryRun<TState>(Func<TState, Task> work, TState state)
    {
        lock (_mutex)
        {
            if (_isClosed) return false;
            _running++;
        }
        _ = RunAsync(work, state);
        return true;
    }

    /// <summary>As <see cref="TryRun"/>, but the work begins on the caller's thread: for work that soon waits or ends.</summary>
    public bool TryBegin<TState>(Func<TState, Task> work, TState state)
    {
        lock (_mutex)
        {
            if (_isClosed) return false;
            _running++;
        }
        Task running = work(state);
        if (running.IsCompleted) End();
        else _ = EndAsync(running);
        return true;
    }

    /// <summary>Takes no more and waits until all have ended.</summary>
    public Task CloseAsync()
    {
        lock (_mutex)
        {
            _isClosed = true;
            if (_running == 0) _idle.TrySetResult();
        }
        return _idle.Task;
    }

    private async Task RunAsync<TState>(Func<TState, Task> work, TState state)
    {
        try
        {
            await Task.CompletedTask.ConfigureAwait(ConfigureAwaitOptions.ForceYielding);
            await work(state).ConfigureAwait(false);
        }
        finally
        {
            End();
        }
    }

    private async Task EndAsync(Task running)
    {
        try
        {
            await running.ConfigureAwait(false);
        }
        finally
        {
            End();
        }
    }

    private void End()
    {
        lock (_mutex)
        {
            if (--_running == 0 && _isClosed) _idle.TrySetResult();
        }
    }
}
