namespace EventMesh.Journal.Internal;

/// <summary>The times of events: whole microseconds of UTC, which is what PostgreSQL keeps.</summary>
internal static class EventTime
{
    public static long ToMicroseconds(DateTimeOffset time) => (time.UtcTicks - DateTimeOffset.UnixEpoch.Ticks) / TimeSpan.TicksPerMicrosecond;

    public static DateTimeOffset FromMicroseconds(long microseconds) =>
        new(DateTimeOffset.UnixEpoch.Ticks + (microseconds * TimeSpan.TicksPerMicrosecond), TimeSpan.Zero);

    /// <summary>The time of the next event: now, but at least a microsecond after the last.</summary>
    public static DateTimeOffset Next(DateTimeOffset last, DateTimeOffset now) =>
        new(Math.Max(Whole(last.UtcTicks) + TimeSpan.TicksPerMicrosecond, Whole(now.UtcTicks)), TimeSpan.Zero);

    private static long Whole(long ticks) => ticks - (ticks % TimeSpan.TicksPerMicrosecond);
}
