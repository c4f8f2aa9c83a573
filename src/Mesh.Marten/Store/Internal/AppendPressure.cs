namespace EventMesh.Marten.Store.Internal;

/// <summary>Whether full batches wait behind the append that is under way. What can be done later, such as folding, lets them pass.</summary>
internal sealed class AppendPressure(TimeProvider time)
{
    private readonly Lock _mutex = new();
    private TaskCompletionSource? _eased;

    /// <summary>Whether a full batch waits.</summary>
    public bool IsHigh
    {
        get
        {
            lock (_mutex)
                return _eased is not null;
        }
    }

    /// <summary>A full batch waits from now on.</summary>
    public void Rise()
    {
        lock (_mutex)
            _eased ??= new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
    }

    /// <summary>None waits any more.</summary>
    public void Ease()
    {
        TaskCompletionSource? eased;
        lock (_mutex)
        {
            eased = _eased;
            _eased = null;
        }
        eased?.SetResult();
    }

    /// <summary>Returns when none waits, or after a while.</summary>
    public async Task WhenEasedAsync(TimeSpan limit, CancellationToken cancellationToken)
    {
        Task eased;
        lock (_mutex)
            eased = _eased?.Task ?? Task.CompletedTask;
        try
        {
            await eased.WaitAsync(limit, time, cancellationToken).ConfigureAwait(false);
        }
        catch (TimeoutException)
        {
            // It goes on: what gives way has its turn, too.
        }
    }
}
