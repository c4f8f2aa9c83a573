using EventMesh.Wire;

namespace EventMesh.Sessions.Internal;

/// <summary>How far a large message may go: what its receiver has granted and 1 MiB more. For one sender.</summary>
internal sealed class SendCredit
{
    private readonly Lock _mutex = new();
    private ulong _granted;
    private bool _isOver;
    private TaskCompletionSource? _waiting;

    /// <summary>The receiver has taken so much.</summary>
    public void Grant(ulong granted)
    {
        lock (_mutex)
        {
            _granted = Math.Max(_granted, granted);
            Wake();
        }
    }

    /// <summary>The peer takes no more: the next write says why.</summary>
    public void End()
    {
        lock (_mutex)
        {
            _isOver = true;
            Wake();
        }
    }

    /// <summary>Waits until all up to <paramref name="position"/> may be sent.</summary>
    public async ValueTask WaitAsync(long position, CancellationToken cancellationToken)
    {
        while (true)
        {
            Task wait;
            lock (_mutex)
            {
                if (_isOver || (ulong)position <= _granted + WireLimits.UngrantedBytes) return;
                _waiting ??= new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
                wait = _waiting.Task;
            }
            await wait.WaitAsync(cancellationToken).ConfigureAwait(false);
        }
    }

    private void Wake()
    {
        _waiting?.TrySetResult();
        _waiting = null;
    }
}
