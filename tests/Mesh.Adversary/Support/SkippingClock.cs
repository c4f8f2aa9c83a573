namespace EventMesh.Adversary.Support;

/// <summary>
/// The system's clock with a shift: it goes on by itself, and <see cref="Skip"/> makes time pass at once, so that no test waits for a limit of
/// ten seconds and none depends on being quicker than one.
/// </summary>
internal sealed class SkippingClock : TimeProvider
{
    private readonly Lock _mutex = new();
    private readonly HashSet<Timer> _timers = [];
    private long _skipped;

    public override DateTimeOffset GetUtcNow() => System.GetUtcNow() + TimeSpan.FromTicks(Interlocked.Read(ref _skipped));

    public override long TimestampFrequency => TimeSpan.TicksPerSecond;

    public override long GetTimestamp() => System.GetElapsedTime(0).Ticks + Interlocked.Read(ref _skipped);

    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
    {
        var timer = new Timer(this, callback, state);
        timer.Change(dueTime, period);
        return timer;
    }

    /// <summary>Makes so much time pass now; what falls due within it does so at once.</summary>
    public void Skip(TimeSpan time)
    {
        Interlocked.Add(ref _skipped, time.Ticks);
        Timer[] timers;
        lock (_mutex) timers = [.. _timers];
        foreach (Timer timer in timers) timer.Arm();
    }

    private sealed class Timer : ITimer
    {
        private readonly SkippingClock _clock;
        private readonly ITimer _inner;
        private readonly Lock _mutex = new();
        private long? _due;
        private TimeSpan _period;

        public Timer(SkippingClock clock, TimerCallback callback, object? state)
        {
            _clock = clock;
            _inner = System.CreateTimer(_ => Fire(callback, state), null, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
        }

        public bool Change(TimeSpan dueTime, TimeSpan period)
        {
            lock (_mutex)
            {
                _due = dueTime == Timeout.InfiniteTimeSpan ? null : _clock.GetTimestamp() + dueTime.Ticks;
                _period = period;
            }
            lock (_clock._mutex)
            {
                if (_due is null) _clock._timers.Remove(this);
                else _clock._timers.Add(this);
            }
            return Arm();
        }

        /// <summary>Sets the system's timer to what is left.</summary>
        public bool Arm()
        {
            lock (_mutex)
            {
                if (_due is not { } due) return _inner.Change(Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
                return _inner.Change(TimeSpan.FromTicks(Math.Max(0, due - _clock.GetTimestamp())), Timeout.InfiniteTimeSpan);
            }
        }

        public void Dispose()
        {
            lock (_clock._mutex) _clock._timers.Remove(this);
            _inner.Dispose();
        }

        public ValueTask DisposeAsync()
        {
            Dispose();
            return ValueTask.CompletedTask;
        }

        private void Fire(TimerCallback callback, object? state)
        {
            lock (_mutex)
            {
                if (_due is not { } due) return;
                // The system's timers may be a little early, and a skip may have set one twice.
                if (_clock.GetTimestamp() < due)
                {
                    Arm();
                    return;
                }
                bool isPeriodic = _period > TimeSpan.Zero;
                _due = isPeriodic ? due + _period.Ticks : null;
                if (isPeriodic) Arm();
            }
            if (_due is null)
            {
                lock (_clock._mutex) _clock._timers.Remove(this);
            }
            callback(state);
        }
    }
}
