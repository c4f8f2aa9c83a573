using EventMesh.Events;
using EventMesh.Identity;
using EventMesh.Projections;

namespace EventMesh.Journal.Internal;

/// <summary>
/// Counts events of connections while the spool is full, so that a storm of them can't take the place of what must not be lost. Only what leaves
/// the folded state as it is may be counted: the end of what the log knows is recorded as always. What begins is kept out of log and state alike; when there is space again,
/// <see cref="TakeStanding"/> has what still stands. Not thread-safe: the journal's lock guards it.
/// </summary>
internal sealed class ConnectionSummary
{
    /// <summary>How many connections, and as many peers, are kept that the log does not know: 16,384. Beyond it they are recorded.</summary>
    public const int MaxStanding = 16_384;

    private readonly Dictionary<Guid, ConnectionOpened> _connections = [];
    private readonly Dictionary<PeerId, PeerJoined> _peers = [];
    private Counts _counts = new();

    /// <summary>How many connections and peers stand that the log does not know.</summary>
    public int StandingCount => _connections.Count + _peers.Count;

    /// <summary>Counts an event; false when it has to be recorded.</summary>
    /// <param name="state">The state that the event would be applied to.</param>
    /// <param name="data">The event.</param>
    public bool TryCount(MeshState state, IMeshEvent data)
    {
        switch (data)
        {
            case ConnectionOpened e when _connections.Count < MaxStanding && !state.Connections.Open.ContainsKey(e.Connection):
                _connections[e.Connection] = e;
                _counts.Opened++;
                break;
            case ConnectionClosed e when !state.Connections.Open.ContainsKey(e.Connection):
                _connections.Remove(e.Connection);
                _counts.AddClosed(e);
                break;
            case PeerJoined e when _peers.Count < MaxStanding && !state.Peers.Joined.ContainsKey(e.Peer):
                _peers[e.Peer] = e;
                _counts.Joined++;
                break;
            case PeerUpdated e when !state.Peers.Joined.ContainsKey(e.Peer):
                if (_peers.TryGetValue(e.Peer, out PeerJoined? joined))
                    _peers[e.Peer] = joined with { Kind = e.Kind, Endpoints = e.Endpoints };
                _counts.Updated++;
                break;
            case PeerLeft e when !state.Peers.Joined.ContainsKey(e.Peer):
                _peers.Remove(e.Peer);
                _counts.Left[(int)e.Reason]++;
                break;
            // The cache counts a node's failed dials.
            case DialFailed e when e.Expected is not { } peer || !BootstrapCacheState.CountsAgainst(e.Error) || !state.Cache.Entries.ContainsKey(peer):
                _counts.DialsFailed++;
                break;
            case PeerDiscovered:
                _counts.Discovered++;
                break;
            case ReverseConnectivityConfirmed or ReverseConnectivityFailed:
                _counts.ReverseChecks++;
                break;
            case InboundRefused e:
                _counts.Refused += e.Count;
                break;
            default:
                return false;
        }
        _counts.IsEmpty = false;
        return true;
    }

    /// <summary>What was counted since the last call; null for nothing.</summary>
    /// <param name="since">When the counting began.</param>
    public ConnectionsSummarised? TakeCounts(DateTimeOffset since)
    {
        if (_counts.IsEmpty)
            return null;
        Counts counts = _counts;
        _counts = new Counts();
        return new ConnectionsSummarised(
            since, counts.Opened, List(counts.Closed), counts.Joined, List(counts.Left), counts.Updated, counts.Discovered, counts.DialsFailed,
            counts.ReverseChecks, counts.Refused, counts.BytesSent, counts.BytesReceived, counts.MessagesSent, counts.MessagesReceived);
    }

    /// <summary>The events that bring the log up to what stands, and forgets it.</summary>
    public IReadOnlyList<IMeshEvent> TakeStanding()
    {
        IMeshEvent[] standing = [.. _connections.Values, .. _peers.Values];
        _connections.Clear();
        _peers.Clear();
        return standing;
    }

    private static CloseCount[] List(long[] counts) =>
        [.. Enum.GetValues<CloseReason>().Where(reason => counts[(int)reason] > 0).Select(reason => new CloseCount(reason, counts[(int)reason]))];

    private sealed class Counts
    {
        private static readonly int Reasons = Enum.GetValues<CloseReason>().Length;

        public bool IsEmpty { get; set; } = true;

        public long Opened { get; set; }

        public long[] Closed { get; } = new long[Reasons];

        public long Joined { get; set; }

        public long[] Left { get; } = new long[Reasons];

        public long Updated { get; set; }

        public long Discovered { get; set; }

        public long DialsFailed { get; set; }

        public long ReverseChecks { get; set; }

        public long Refused { get; set; }

        public long BytesSent { get; private set; }

        public long BytesReceived { get; private set; }

        public long MessagesSent { get; private set; }

        public long MessagesReceived { get; private set; }

        public void AddClosed(ConnectionClosed closed)
        {
            Closed[(int)closed.Reason]++;
            BytesSent += closed.BytesSent;
            BytesReceived += closed.BytesReceived;
            MessagesSent += closed.MessagesSent;
            MessagesReceived += closed.MessagesReceived;
        }
    }
}
