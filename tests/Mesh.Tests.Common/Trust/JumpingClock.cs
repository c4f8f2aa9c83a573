using System.Collections.Concurrent;

namespace EventMesh.Tests.Common.Trust;

/// <summary>The real time, which a test can move forward by a jump: time stamps move, and what happens every 30 s happens once.</summary>
public sealed class JumpingClock : TimeProvider
{
    private readonly ConcurrentQueue<Action> _reviews = [];
    private long _ahead;

    public void Jump(TimeSpan by)
    {
        Interlocked.Add(ref _ahead, (long)(by.TotalSeconds * TimestampFrequency));
        foreach (Action review in _reviews) review();
    }

    public override long GetTimestamp() => base.GetTimestamp() + Interlocked.Read(ref _ahead);

    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
    {
        if (period == TimeSpan.FromSeconds(30)) _reviews.Enqueue(() => callback(state));
        return base.CreateTimer(callback, state, dueTime, period);
    }
}
