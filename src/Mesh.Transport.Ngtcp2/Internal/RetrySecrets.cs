using System.Security.Cryptography;

namespace EventMesh.Transport.Ngtcp2.Internal;

/// <summary>The keys of Retry tokens: a new one every 30 seconds, each good for two such periods.</summary>
internal sealed class RetrySecrets
{
    /// <summary>How long a key makes tokens, nanoseconds.</summary>
    public const ulong Period = 30_000_000_000;

    /// <summary>The length of a key, bytes.</summary>
    public const int Length = 32;

    private byte[] _current = RandomNumberGenerator.GetBytes(Length);
    private byte[] _previous = RandomNumberGenerator.GetBytes(Length);
    private ulong _madeAt;

    public RetrySecrets(ulong now) => _madeAt = now;

    /// <summary>The key for new tokens.</summary>
    public ReadOnlySpan<byte> Current(ulong now)
    {
        Rotate(now);
        return _current;
    }

    /// <summary>The key before the current one, whose tokens still count.</summary>
    public ReadOnlySpan<byte> Previous(ulong now)
    {
        Rotate(now);
        return _previous;
    }

    private void Rotate(ulong now)
    {
        ulong periods = (now - _madeAt) / Period;
        if (periods == 0)
            return;
        _previous = periods == 1 ? _current : RandomNumberGenerator.GetBytes(Length);
        _current = RandomNumberGenerator.GetBytes(Length);
        _madeAt += periods * Period;
    }
}
