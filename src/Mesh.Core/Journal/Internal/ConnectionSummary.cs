using EventMesh.Events;
using EventMesh.Identity;
using EventMesh.Projections;

namespace EventMesh.Journal.Internal;

/// <summary>
/// Counts events of connections while the spool is full, so that a storm of them can't take the place of what must not be lost. Only what leaves
/// the folded state as it is may be counted: the end of what the log knows is recorded as always. What begins is kept out of log and state alike; when there is space again,
/// <see cref="TakeStanding"/> has what still stands. Not thread-safe: the journal's lock guards it.
/// </summary>
/// <param name="counts">Where it counts.</param>
internal sealed class ConnectionSummary(ConnectionCounts counts)
{
    /// <summary>How many connections, and as many peers, are kept that the log does not know: 16,384. Beyond it they are recorded.</summary>
    public const int MaxStanding = 16_384;

    private readonly Dictionary<Guid, ConnectionOpened> _connections = [];
    private readonly Dictionary<PeerId, PeerJoined> _peers = [];

    /// <summary>How many connections and peers stand that the log does not know.</summary>
    public int StandingCount => _connections.Count + _peers.Count;

    /// <summary>Counts an event; false when it has to be recorded.</summary>
    /// <param name="state">The state that the event would be applied to.</param>
    /// <param name="data">The event.</param>
    public bool TryCount(MeshState state, IMeshEvent data)
    {
        if (!TryKeep(state, data))
            return false;
        counts.Add(data);
        return true;
    }

    /// <summary>As <see cref="TryCount"/>, for an event that was counted before.</summary>
    public bool TryKeep(MeshState state, IMeshEvent data)
    {
        switch (data)
        {
            case ConnectionOpened e when _connections.Count < MaxStanding && !state.Connections.Open.ContainsKey(e.Connection):
                _connections[e.Connection] = e;
                return true;
            case ConnectionClosed e when !state.Connections.Open.ContainsKey(e.Connection):
                _connections.Remove(e.Connection);
                return true;
            case PeerJoined e when _peers.Count < MaxStanding && !state.Peers.Joined.ContainsKey(e.Peer):
                _peers[e.Peer] = e;
                return true;
            case PeerUpdated e when !state.Peers.Joined.ContainsKey(e.Peer):
                if (_peers.TryGetValue(e.Peer, out PeerJoined? joined))
                    _peers[e.Peer] = joined with { Kind = e.Kind, Endpoints = e.Endpoints };
                return true;
            case PeerLeft e when !state.Peers.Joined.ContainsKey(e.Peer):
                _peers.Remove(e.Peer);
                return true;
            // The cache counts a node's failed dials.
            case DialFailed e:
                return e.Expected is not { } peer || !BootstrapCacheState.CountsAgainst(e.Error) || !state.Cache.Entries.ContainsKey(peer);
            default:
                return data is PeerDiscovered or ReverseConnectivityConfirmed or ReverseConnectivityFailed or InboundRefused;
        }
    }

    /// <summary>The events that bring the log up to what stands, and forgets it.</summary>
    public IReadOnlyList<IMeshEvent> TakeStanding()
    {
        IMeshEvent[] standing = [.. _connections.Values, .. _peers.Values];
        _connections.Clear();
        _peers.Clear();
        return standing;
    }
}
