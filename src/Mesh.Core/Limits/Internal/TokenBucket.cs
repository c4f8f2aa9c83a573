namespace EventMesh.Limits.Internal;

/// <summary>A rate with a burst: tokens come back evenly, and at most a burst of them waits. All members may be called concurrently.</summary>
internal sealed class TokenBucket
{
    private readonly Lock _mutex = new();
    private readonly double _perSecond;
    private readonly double _burst;
    private readonly TimeProvider _clock;
    private double _tokens;
    private long _last;

    /// <param name="perSecond">How many come back in a second.</param>
    /// <param name="burst">How many wait at most; as many are there at the beginning.</param>
    /// <param name="clock">The clock.</param>
    public TokenBucket(double perSecond, double burst, TimeProvider clock)
    {
        _perSecond = perSecond;
        _burst = burst;
        _clock = clock;
        _tokens = burst;
        _last = clock.GetTimestamp();
    }

    /// <summary>Whether not one token is there.</summary>
    public bool IsEmpty
    {
        get
        {
            lock (_mutex)
            {
                Refill();
                return _tokens < 1;
            }
        }
    }

    /// <summary>Takes a token; false when there is none.</summary>
    public bool TryTake()
    {
        lock (_mutex)
        {
            Refill();
            if (_tokens < 1) return false;
            _tokens--;
            return true;
        }
    }

    /// <summary>Takes tokens whether they are there or not, and says how long to wait until they are: the debt of many who take at once adds up.</summary>
    public TimeSpan Take(double tokens)
    {
        lock (_mutex)
        {
            Refill();
            _tokens -= tokens;
            return _tokens >= 0 ? TimeSpan.Zero : TimeSpan.FromSeconds(-_tokens / _perSecond);
        }
    }

    private void Refill()
    {
        long now = _clock.GetTimestamp();
        _tokens = Math.Min(_burst, _tokens + (_clock.GetElapsedTime(_last, now).TotalSeconds * _perSecond));
        _last = now;
    }
}
