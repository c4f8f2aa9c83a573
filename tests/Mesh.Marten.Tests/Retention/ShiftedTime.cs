namespace EventMesh.Marten.Tests.Retention;

/// <summary>The system's clock and timers, with its date moved.</summary>
internal sealed class ShiftedTime : TimeProvider
{
    private long _ticks;

    public override DateTimeOffset GetUtcNow() => System.GetUtcNow().AddTicks(Interlocked.Read(ref _ticks));

    public void MoveTo(DateTimeOffset time) => Interlocked.Exchange(ref _ticks, (time - System.GetUtcNow()).Ticks);
}
