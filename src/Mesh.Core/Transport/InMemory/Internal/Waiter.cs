namespace EventMesh.Transport.InMemory.Internal;

/// <summary>What a caller awaits. Its owner decides under its lock who ends it, so each is ended once.</summary>
internal sealed class Waiter<T>(Scheduler scheduler) : IScheduledWork
{
    private readonly TaskCompletionSource<T> _source = new(scheduler.CreationOptions);
    private CancellationTokenRegistration _registration;
    private Action<Waiter<T>>? _cancel;
    private CancellationToken _token;
    private T? _result;
    private Exception? _error;

    public Task<T> Task => _source.Task;

    /// <summary>Lets <paramref name="cancel"/> end the wait when the token fires; it calls <see cref="Cancel"/> if the wait is still on.</summary>
    public Waiter<T> CancelledBy(Action<Waiter<T>> cancel, CancellationToken cancellationToken)
    {
        if (cancellationToken.CanBeCanceled)
        {
            _token = cancellationToken;
            _cancel = cancel;
            _registration = cancellationToken.UnsafeRegister(static state =>
            {
                var waiter = (Waiter<T>)state!;
                waiter._cancel!(waiter);
            }, this);
        }
        return this;
    }

    public void Succeed(T result)
    {
        _result = result;
        End();
    }

    public void Fail(Exception error)
    {
        _error = error;
        End();
    }

    public void Cancel() => Fail(new OperationCanceledException(_token));

    void IScheduledWork.Run()
    {
        if (_error is OperationCanceledException)
            _source.TrySetCanceled(_token);
        else if (_error is not null)
            _source.TrySetException(_error);
        else
            _source.TrySetResult(_result!);
        // Nobody has to look at the failure: an abandoned wait must not raise UnobservedTaskException.
        _ = _source.Task.Exception;
    }

    private void End()
    {
        // Not Dispose: it would wait for a cancellation callback that waits for the lock we are called under.
        _registration.Unregister();
        scheduler.Complete(this);
    }
}
