using EventMesh.Events;
using EventMesh.Identity;
using EventMesh.Limits.Internal;
using EventMesh.Projections;

namespace EventMesh.Journal.Internal;

/// <summary>
/// The new peers that came when a minute's budget was used up. What they do is counted and kept out of log and state alike, so that whoever makes keys
/// freely can't fill the log; what stands of them is owed to the log, the oldest first. Not thread-safe: the journal's lock guards it.
/// </summary>
/// <param name="budget">How many new peers may come into the log.</param>
/// <param name="counts">Where it counts.</param>
internal sealed class HeldPeers(MinuteBudget budget, ConnectionCounts counts)
{
    private readonly Dictionary<PeerId, LinkedListNode<HeldPeer>> _byPeer = [];
    private readonly LinkedList<HeldPeer> _oldestFirst = [];

    // With changes of their keys: few, or none.
    private int _withChanges;

    /// <summary>How many peers are held back, some 2 KiB each; further ones are refused at the door, see <see cref="HasRoomFor"/>, where those can't be that are in by then.</summary>
    public int Capacity { get; set; } = 16_384;

    public int Count => _byPeer.Count;

    /// <summary>How many events are owed of the oldest one.</summary>
    public int OwedOfOldest => _oldestFirst.First?.Value.Owed().Count ?? 0;

    /// <summary>Whether a peer may come: the log knows it, or it could be held back.</summary>
    public bool HasRoomFor(MeshState state, PeerId peer) => Count < Capacity || _byPeer.ContainsKey(peer) || NewPeers.IsKnown(state, peer);

    /// <summary>Completes when a peer is not held back any more.</summary>
    public Task WhenEnded(PeerId peer) => _byPeer.TryGetValue(peer, out LinkedListNode<HeldPeer>? held) ? held.Value.WhenEnded : Task.CompletedTask;

    /// <summary>Counts an event of a peer that is held back, or has to be from this event on; false when the event has to be recorded.</summary>
    /// <param name="state">The state that the event would be applied to.</param>
    /// <param name="data">The event.</param>
    /// <param name="unit">What is decided together with it.</param>
    public bool TryCount(MeshState state, IMeshEvent data, ReadOnlySpan<IMeshEvent> unit)
    {
        if (data is CertificateAccepted accepted)
            return TryBegin(state, accepted, unit);
        if (Count == 0 || SubjectOf(state, data, unit) is not { } peer || !_byPeer.TryGetValue(peer, out LinkedListNode<HeldPeer>? held))
            return false;
        bool hadChanges = held.Value.HasChanges;
        if (!held.Value.TryTake(data))
            return false;
        counts.Add(data);
        if (!hadChanges && held.Value.HasChanges)
            _withChanges++;
        if (data is ConnectionClosed or PeerLeft && held.Value.IsGone)
            Remove(held);
        return true;
    }

    /// <summary>The held-back peers that an event makes known.</summary>
    /// <param name="data">The event; it is going to be recorded.</param>
    /// <param name="unit">What is decided together with it.</param>
    public IReadOnlyList<PeerId> MadeKnownBy(IMeshEvent data, ReadOnlySpan<IMeshEvent> unit)
    {
        if (Count == 0)
            return [];
        if (data is KeySucceeded change)
            return NewPeers.BearerOf(change, unit) is var bearer && _byPeer.ContainsKey(bearer) ? [bearer] : [];
        IReadOnlyList<PeerId> named = NewPeers.MadeKnownBy(data);
        if (named.Count == 0)
            return [];
        // What is decided on a key concerns the peer that has had it.
        IEnumerable<PeerId> heirs = _withChanges == 0 || !NewPeers.IsDecision(data) ? [] : _oldestFirst.Where(held => named.Any(held.HasHad)).Select(held => held.Peer);
        return [.. named.Where(_byPeer.ContainsKey).Union(heirs)];
    }

    /// <summary>Ends holding a peer back; what is owed to the log of it.</summary>
    public IReadOnlyList<IMeshEvent> Release(PeerId peer)
    {
        LinkedListNode<HeldPeer> held = _byPeer[peer];
        Remove(held);
        return held.Value.Owed();
    }

    /// <summary>Ends holding the oldest one back, when the budget has a place for it; what is owed to the log of it, null when none may come.</summary>
    public IReadOnlyList<IMeshEvent>? TryReleaseOldest() => _oldestFirst.First is { } oldest && budget.TryTake() ? Release(oldest.Value.Peer) : null;

    private bool TryBegin(MeshState state, CertificateAccepted accepted, ReadOnlySpan<IMeshEvent> unit)
    {
        // Of a further connection: the log still does not know the key.
        if (_byPeer.ContainsKey(accepted.Peer))
            return true;
        if (NewPeers.IsKnown(state, accepted.Peer) || NewPeers.IsChosen(accepted.Peer, unit))
            return false;
        // Nobody overtakes those that wait.
        if (Count == 0 && budget.TryTake())
            return false;
        _byPeer.Add(accepted.Peer, _oldestFirst.AddLast(new HeldPeer(accepted)));
        counts.Add(accepted);
        return true;
    }

    private static PeerId? SubjectOf(MeshState state, IMeshEvent data, ReadOnlySpan<IMeshEvent> unit) => data switch
    {
        ConnectionOpened e => e.Peer,
        ConnectionClosed e => e.Peer,
        PeerJoined e => e.Peer,
        PeerUpdated e => e.Peer,
        PeerLeft e => e.Peer,
        ReverseConnectivityConfirmed e => e.Peer,
        ReverseConnectivityFailed e => e.Peer,
        // One that follows a peer which the log knows is not new.
        KeySucceeded e when !NewPeers.IsKnown(state, e.Predecessor) => NewPeers.BearerOf(e, unit),
        _ => null,
    };

    private void Remove(LinkedListNode<HeldPeer> held)
    {
        _byPeer.Remove(held.Value.Peer);
        _oldestFirst.Remove(held);
        if (held.Value.HasChanges)
            _withChanges--;
        held.Value.End();
    }
}
