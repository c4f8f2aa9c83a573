namespace EventMesh.Transport.InMemory.Internal;

internal sealed class VirtualTimer(VirtualTimeProvider clock, TimerCallback callback, object? state) : ITimer
{
    private readonly Lock _mutex = new();
    private Shot? _next;
    private TimeSpan _period;

    public bool Change(TimeSpan dueTime, TimeSpan period)
    {
        lock (_mutex)
        {
            _period = period;
            Arm(dueTime);
        }
        return true;
    }

    public void Dispose()
    {
        lock (_mutex)
            _next = null;
    }

    public ValueTask DisposeAsync()
    {
        Dispose();
        return ValueTask.CompletedTask;
    }

    private void Arm(TimeSpan dueTime)
    {
        // A shot that is not the next one any more does nothing when its time comes: cheaper than removing it from the queue.
        _next = dueTime < TimeSpan.Zero ? null : new Shot(this);
        if (_next is not null)
            clock.Schedule(_next, clock.GetTimestamp() + dueTime.Ticks);
    }

    private void Fire(Shot shot)
    {
        lock (_mutex)
        {
            if (_next != shot)
                return;
            Arm(_period > TimeSpan.Zero ? _period : Timeout.InfiniteTimeSpan);
        }
        callback(state);
    }

    private sealed class Shot(VirtualTimer timer) : IScheduledWork
    {
        public void Run() => timer.Fire(this);
    }
}
