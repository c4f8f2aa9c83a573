namespace EventMesh.Transport.InMemory.Internal;

/// <summary>Runs work on the thread pool, at most one thread at a time, woken by one timer.</summary>
internal sealed class PoolScheduler : Scheduler, IThreadPoolWorkItem
{
    private readonly TimeProvider _timeProvider;
    private readonly long _start;
    private readonly Lock _mutex = new();
    private readonly PriorityQueue<IScheduledWork, (long Due, long Sequence)> _queue = new();
    private readonly ITimer _timer;
    private long _sequence;
    private long _timerDue = long.MaxValue;
    private bool _running;

    public PoolScheduler(TimeProvider timeProvider)
    {
        _timeProvider = timeProvider;
        _start = timeProvider.GetTimestamp();
        _timer = timeProvider.CreateTimer(static state => ((PoolScheduler)state!).OnTimer(), this, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
    }

    public override long Now => _timeProvider.GetElapsedTime(_start).Ticks;

    public override TaskCreationOptions CreationOptions => TaskCreationOptions.RunContinuationsAsynchronously;

    public override void Schedule(IScheduledWork work, long due)
    {
        lock (_mutex)
        {
            _queue.Enqueue(work, (due, _sequence++));
            Wake();
        }
    }

    public override void Complete(IScheduledWork completion) => completion.Run();

    void IThreadPoolWorkItem.Execute()
    {
        while (true)
        {
            IScheduledWork? work;
            lock (_mutex)
            {
                if (!_queue.TryPeek(out work, out (long Due, long Sequence) place) || place.Due > Now)
                {
                    _running = false;
                    Wake();
                    return;
                }
                _queue.Dequeue();
            }
            work.Run();
        }
    }

    private void OnTimer()
    {
        lock (_mutex)
        {
            _timerDue = long.MaxValue;
            Wake();
        }
    }

    private void Wake()
    {
        if (_running || !_queue.TryPeek(out _, out (long Due, long Sequence) place))
            return;
        long wait = place.Due - Now;
        if (wait <= 0)
        {
            _running = true;
            ThreadPool.UnsafeQueueUserWorkItem(this, preferLocal: false);
        }
        else if (place.Due < _timerDue)
        {
            _timerDue = place.Due;
            // The system's timers count whole milliseconds; rounding up avoids waking too early again and again.
            _timer.Change(TimeSpan.FromMilliseconds(Math.Ceiling(wait / (double)TimeSpan.TicksPerMillisecond)), Timeout.InfiniteTimeSpan);
        }
    }
}
