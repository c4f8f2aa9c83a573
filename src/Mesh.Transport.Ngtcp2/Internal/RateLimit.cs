namespace EventMesh.Transport.Ngtcp2.Internal;

/// <summary>At most so many answers a second to packets that belong to no connection, so that nobody can keep us busy with them.</summary>
internal sealed class RateLimit(int perSecond)
{
    private const ulong Second = 1_000_000_000;

    private ulong _second;
    private int _used;

    public bool TryTake(ulong now)
    {
        ulong second = now / Second;
        if (second != _second)
        {
            _second = second;
            _used = 0;
        }
        return _used++ < perSecond;
    }
}
