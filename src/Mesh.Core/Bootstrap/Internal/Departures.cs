using EventMesh.Events;
using EventMesh.Identity;

namespace EventMesh.Bootstrap.Internal;

/// <summary>Who left in this process, when and why: the 1,024 latest.</summary>
internal sealed class Departures(TimeProvider clock)
{
    private const int MaxKept = 1024;

    private readonly Lock _mutex = new();
    private readonly Dictionary<PeerId, (long At, CloseReason Reason)> _latest = [];
    private readonly Queue<(PeerId Peer, long At)> _order = new();

    public void Add(PeerId peer, CloseReason reason)
    {
        lock (_mutex)
        {
            long now = clock.GetTimestamp();
            _latest[peer] = (now, reason);
            _order.Enqueue((peer, now));
            // The queue may hold a peer several times; only its last place counts.
            while (_order.Count > MaxKept && _order.TryDequeue(out (PeerId Peer, long At) oldest))
            {
                if (_latest.TryGetValue(oldest.Peer, out (long At, CloseReason) kept) && kept.At == oldest.At) _latest.Remove(oldest.Peer);
            }
        }
    }

    /// <summary>How long ago a peer left; null when it never did, or long ago.</summary>
    public TimeSpan? Since(PeerId peer)
    {
        lock (_mutex) return _latest.TryGetValue(peer, out (long At, CloseReason) last) ? clock.GetElapsedTime(last.At) : null;
    }

    /// <summary>Whether a peer was trimmed, by us or by itself, within a time: dialling it again at once would only repeat that.</summary>
    public bool WasTrimmed(PeerId peer, TimeSpan within)
    {
        lock (_mutex)
        {
            return _latest.TryGetValue(peer, out (long At, CloseReason Reason) last) && last.Reason == CloseReason.Trimmed
                && clock.GetElapsedTime(last.At) < within;
        }
    }
}
