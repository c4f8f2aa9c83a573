using EventMesh.Identity;

namespace EventMesh.Plugins.Dispatch.Internal;

/// <summary>
/// The peers whose messages made a plugin fail: each one's failures in a row, and whether it is muted, which is that the plugin gets nothing of it for a while. At most 1,024
/// peers, the one that failed longest ago makes room. Not safe for concurrent use.
/// </summary>
internal sealed class PeerFailures(int muteAfter, TimeProvider time)
{
    /// <summary>How many peers are told apart.</summary>
    public const int Capacity = 1024;

    /// <summary>How long a peer is muted.</summary>
    public static readonly TimeSpan MuteTime = TimeSpan.FromMinutes(10);

    private readonly Dictionary<PeerId, Entry> _peers = [];

    public int Count => _peers.Count;

    public bool IsMuted(PeerId peer)
    {
        if (_peers.Count == 0 || !_peers.TryGetValue(peer, out Entry entry) || entry.MutedAt is not { } at)
            return false;
        if (time.GetElapsedTime(at) < MuteTime)
            return true;
        _peers.Remove(peer);
        return false;
    }

    /// <summary>The row of a peer's failures ends.</summary>
    public void Succeeded(PeerId peer)
    {
        // What was under way when it was muted does not end that.
        if (_peers.Count > 0 && _peers.TryGetValue(peer, out Entry entry) && entry.MutedAt is null)
            _peers.Remove(peer);
    }

    /// <summary>A peer's message failed; true when the peer is muted from now on.</summary>
    /// <param name="peer">The peer.</param>
    /// <param name="overdue">How many of its handlers still run past their limit.</param>
    public bool Failed(PeerId peer, int overdue)
    {
        long now = time.GetTimestamp();
        Entry entry = _peers.GetValueOrDefault(peer);
        bool mutes = entry.MutedAt is null && (entry.InARow + 1 >= muteAfter || overdue >= muteAfter);
        if (_peers.Count >= Capacity && !_peers.ContainsKey(peer))
            _peers.Remove(_peers.MinBy(known => known.Value.LastAt).Key);
        _peers[peer] = new Entry(entry.InARow + 1, now, mutes ? now : entry.MutedAt);
        return mutes;
    }

    private readonly record struct Entry(int InARow, long LastAt, long? MutedAt);
}
