namespace EventMesh.Limits.Internal;

/// <summary>
/// So many in a minute, whichever minute one looks at: a place is free again a minute after it was taken. A <see cref="TokenBucket"/> would let twice as many
/// pass in the minute that begins with a full one. All members may be called concurrently.
/// </summary>
/// <param name="perMinute">How many; each that was taken in the last minute takes 8 bytes.</param>
/// <param name="clock">The clock.</param>
internal sealed class MinuteBudget(int perMinute, TimeProvider clock)
{
    private static readonly TimeSpan Minute = TimeSpan.FromMinutes(1);

    private readonly Lock _mutex = new();
    private readonly Queue<long> _taken = new();

    /// <summary>Takes a place; false when all of this minute are taken.</summary>
    public bool TryTake()
    {
        lock (_mutex)
        {
            long now = clock.GetTimestamp();
            while (_taken.TryPeek(out long oldest) && clock.GetElapsedTime(oldest, now) >= Minute) _taken.Dequeue();
            if (_taken.Count >= perMinute) return false;
            _taken.Enqueue(now);
            return true;
        }
    }
}
