namespace EventMesh.Transport.Ngtcp2.Internal;

/// <summary>
/// Decides whether a dialer has to prove its address, and bounds the handshakes under way. Loop thread only; no I/O, no clock.
/// </summary>
internal sealed class Admission(RetryMode mode, int acceptBacklog)
{
    private const int MaxUnvalidated = 32;
    private const int MaxUnvalidatedPerPrefix = 4;

    // Beyond the backlog, because a handshake under way may still fail.
    private readonly int _maxHandshakes = Math.Max(1024, 4 * acceptBacklog);
    private readonly Dictionary<ulong, int> _unvalidatedPerPrefix = [];

    /// <value>Inbound handshakes that have not ended.</value>
    public int Handshakes { get; private set; }

    /// <value>Those of them whose source address may be spoofed.</value>
    public int Unvalidated { get; private set; }

    /// <summary>Whether there is room for another handshake.</summary>
    public bool HasRoom => Handshakes < _maxHandshakes;

    /// <summary>Whether a dialer of this prefix, without a token, gets a Retry.</summary>
    public bool NeedsRetry(ulong prefix) => mode switch
    {
        RetryMode.Always => true,
        RetryMode.Never => false,
        _ => Unvalidated >= MaxUnvalidated || _unvalidatedPerPrefix.GetValueOrDefault(prefix) >= MaxUnvalidatedPerPrefix,
    };

    public void OnHandshakeStarted(ulong prefix, bool unvalidated)
    {
        Handshakes++;
        if (!unvalidated)
            return;
        Unvalidated++;
        _unvalidatedPerPrefix[prefix] = _unvalidatedPerPrefix.GetValueOrDefault(prefix) + 1;
    }

    public void OnHandshakeEnded(ulong prefix, bool unvalidated)
    {
        Handshakes--;
        if (!unvalidated)
            return;
        Unvalidated--;
        int left = _unvalidatedPerPrefix[prefix] - 1;
        if (left == 0)
            _unvalidatedPerPrefix.Remove(prefix);
        else
            _unvalidatedPerPrefix[prefix] = left;
    }
}
