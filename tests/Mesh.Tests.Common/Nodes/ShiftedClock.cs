namespace EventMesh.Tests.Common.Nodes;

/// <summary>The system's clock, whose time of day a test can set forward; timers run as ever.</summary>
public sealed class ShiftedClock : TimeProvider
{
    private long _shift;

    /// <summary>Sets the time of day forward.</summary>
    public void Shift(TimeSpan by) => Interlocked.Add(ref _shift, by.Ticks);

    public override DateTimeOffset GetUtcNow() => base.GetUtcNow() + TimeSpan.FromTicks(Interlocked.Read(ref _shift));
}
