using System.Net;

namespace EventMesh.Sessions.Internal;

/// <summary>
/// How often a peer may have us dial its address: once in a time, unless it has left meanwhile. At most 8 addresses are told apart, so that
/// a peer that wanders is not dialled more often than that.
/// </summary>
internal sealed class ReverseCheckLimit(TimeProvider clock, TimeSpan interval)
{
    private const int MaxAddresses = 8;

    private readonly Lock _mutex = new();
    private readonly List<(IPAddress Address, long At)> _checked = [];

    /// <summary>The peer has come anew: only the check that begins now counts.</summary>
    public void Restart(IPAddress address)
    {
        lock (_mutex)
        {
            _checked.Clear();
            _checked.Add((address, clock.GetTimestamp()));
        }
    }

    /// <summary>Whether the address may be dialled now; if so, that counts.</summary>
    public bool TryTake(IPAddress address)
    {
        lock (_mutex)
        {
            _checked.RemoveAll(entry => clock.GetElapsedTime(entry.At) >= interval);
            if (_checked.Count >= MaxAddresses || _checked.Exists(entry => entry.Address.Equals(address))) return false;
            _checked.Add((address, clock.GetTimestamp()));
            return true;
        }
    }
}
