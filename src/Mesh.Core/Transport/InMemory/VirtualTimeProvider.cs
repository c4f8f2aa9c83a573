using EventMesh.Transport.InMemory.Internal;

namespace EventMesh.Transport.InMemory;

/// <summary>A clock that stands still until it is run; timers fire one after another on the thread that runs it.</summary>
/// <remarks>
/// Calling contract:
/// <list type="bullet">
/// <item>Reading the time and making timers is allowed from everywhere; one thread at a time runs the clock.</item>
/// <item>Two timers of the same moment fire in the order in which they were set.</item>
/// <item>What awaits a timer, or an operation of an <see cref="InMemoryNetwork"/> on this clock, goes on inline on the running
/// thread when it awaits with <c>ConfigureAwait(false)</c> or without a synchronization context. Code that hops to the thread pool is
/// waited for only with <see cref="WaitForThreadPool"/>.</item>
/// </list>
/// </remarks>
public sealed class VirtualTimeProvider : TimeProvider
{
    private readonly Lock _mutex = new();
    private readonly PriorityQueue<IScheduledWork, (long Due, long Sequence)> _queue = new();
    private readonly DateTimeOffset _start;
    private long _now;
    private long _sequence;
    private int _running;

    /// <summary>Makes a clock that stands at 2026-01-01T00:00:00Z.</summary>
    public VirtualTimeProvider()
        : this(new DateTimeOffset(2026, 1, 1, 0, 0, 0, TimeSpan.Zero))
    {
    }

    /// <summary>Makes a clock that stands at <paramref name="start"/>.</summary>
    public VirtualTimeProvider(DateTimeOffset start) => _start = start.ToUniversalTime();

    /// <value>
    /// Whether the clock, before it moves on, gives work on the thread pool up to 10 s of real time to finish. For code that does not
    /// go on inline; the order of such work is the thread pool's, so runs are then alike but not equal. Nothing else in the process should use the
    /// pool meanwhile; a thread that is busy already when the clock is made, or stays busy through all of that time, is not waited for until it was free. Defaults to
    /// false.
    /// </value>
    public bool WaitForThreadPool
    {
        get;
        init
        {
            field = value;
            if (value)
                ThreadPoolQuiet.Begin();
        }
    }

    /// <summary>The time since the clock's start.</summary>
    public TimeSpan Elapsed => TimeSpan.FromTicks(Volatile.Read(ref _now));

    /// <inheritdoc/>
    public override long TimestampFrequency => TimeSpan.TicksPerSecond;

    /// <inheritdoc/>
    public override TimeZoneInfo LocalTimeZone => TimeZoneInfo.Utc;

    /// <inheritdoc/>
    public override long GetTimestamp() => Volatile.Read(ref _now);

    /// <inheritdoc/>
    public override DateTimeOffset GetUtcNow() => _start + Elapsed;

    /// <inheritdoc/>
    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
    {
        ArgumentNullException.ThrowIfNull(callback);
        var timer = new VirtualTimer(this, callback, state);
        timer.Change(dueTime, period);
        return timer;
    }

    /// <summary>Goes to the next moment at which something is due and does it; false when nothing is.</summary>
    /// <exception cref="InvalidOperationException">Another call runs the clock, perhaps further up in this stack.</exception>
    public bool RunNext() => Run(() => Step(long.MaxValue));

    /// <summary>Moves the clock by <paramref name="time"/> and does all that is due on the way.</summary>
    /// <exception cref="InvalidOperationException">Another call runs the clock, perhaps further up in this stack.</exception>
    public void Advance(TimeSpan time)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(time, TimeSpan.Zero);
        long end = Volatile.Read(ref _now) + time.Ticks;
        Run(() =>
        {
            while (Step(end))
            {
            }
            Volatile.Write(ref _now, end);
            return true;
        });
    }

    /// <summary>Runs the clock until <paramref name="condition"/> holds or <paramref name="limit"/> has passed on it.</summary>
    /// <returns>Whether the condition holds.</returns>
    /// <exception cref="InvalidOperationException">Another call runs the clock, perhaps further up in this stack.</exception>
    public bool RunUntil(Func<bool> condition, TimeSpan limit)
    {
        ArgumentNullException.ThrowIfNull(condition);
        ArgumentOutOfRangeException.ThrowIfLessThan(limit, TimeSpan.Zero);
        long end = Volatile.Read(ref _now) + limit.Ticks;
        return Run(() =>
        {
            while (!condition())
            {
                if (!Step(end))
                {
                    Volatile.Write(ref _now, end);
                    return condition();
                }
            }
            return true;
        });
    }

    /// <summary>Runs the clock until <paramref name="task"/> has ended or <paramref name="limit"/> has passed on it.</summary>
    /// <returns>Whether the task has ended, in whatever way.</returns>
    /// <exception cref="InvalidOperationException">Another call runs the clock, perhaps further up in this stack.</exception>
    public bool RunUntil(Task task, TimeSpan limit)
    {
        ArgumentNullException.ThrowIfNull(task);
        return RunUntil(() => task.IsCompleted, limit);
    }

    internal void Schedule(IScheduledWork work, long due)
    {
        lock (_mutex)
            _queue.Enqueue(work, (Math.Max(due, _now), _sequence++));
    }

    private bool Run(Func<bool> steps)
    {
        if (Interlocked.Exchange(ref _running, 1) != 0)
            throw new InvalidOperationException("The virtual clock is being run already; wait without running it again.");
        SynchronizationContext? context = SynchronizationContext.Current;
        // Without a context, what awaits goes on inline, which makes the order of everything that of the queue.
        SynchronizationContext.SetSynchronizationContext(null);
        try
        {
            return steps();
        }
        finally
        {
            SynchronizationContext.SetSynchronizationContext(context);
            Volatile.Write(ref _running, 0);
        }
    }

    private bool Step(long end)
    {
        if (WaitForThreadPool)
            ThreadPoolQuiet.Wait();
        IScheduledWork? work;
        lock (_mutex)
        {
            if (!_queue.TryPeek(out work, out (long Due, long Sequence) place) || place.Due > end)
                return false;
            _queue.Dequeue();
            Volatile.Write(ref _now, place.Due);
        }
        work.Run();
        return true;
    }
}
