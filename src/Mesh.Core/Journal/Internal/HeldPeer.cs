using EventMesh.Events;
using EventMesh.Identity;

namespace EventMesh.Journal.Internal;

/// <summary>A new peer that is held back: what stands of it, and so is owed to the log.</summary>
/// <param name="accepted">Its first event.</param>
internal sealed class HeldPeer(CertificateAccepted accepted)
{
    // As many as a peer can tell of at once; what it tells of further ones on later connections is forgotten.
    private const int MaxChanges = 4;

    private readonly List<KeySucceeded> _changes = [];
    private readonly List<ConnectionOpened> _connections = [];
    private PeerJoined? _joined;
    private TaskCompletionSource? _ended;

    public PeerId Peer => accepted.Peer;

    public bool HasChanges => _changes.Count > 0;

    /// <summary>Whether nothing of it stands any more.</summary>
    public bool IsGone => _connections.Count == 0 && _joined is null;

    /// <summary>Completes with <see cref="End"/>.</summary>
    public Task WhenEnded => (_ended ??= new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously)).Task;

    /// <summary>What the log would know of it: first who it is, then its connections, and last that it joined.</summary>
    public IReadOnlyList<IMeshEvent> Owed() => _joined is null ? [accepted, .. _changes, .. _connections] : [accepted, .. _changes, .. _connections, _joined];

    public bool HasHad(PeerId key) => _changes.Exists(change => change.Predecessor == key || change.Successor == key);

    /// <summary>It is not held back any more.</summary>
    public void End() => _ended?.SetResult();

    /// <summary>Takes note of what it does; false when it is about something that stands in the log.</summary>
    public bool TryTake(IMeshEvent data)
    {
        switch (data)
        {
            case KeySucceeded e:
                if (_changes.Count < MaxChanges && !_changes.Contains(e))
                    _changes.Add(e);
                return true;
            case ConnectionOpened e:
                _connections.Add(e);
                return true;
            case ConnectionClosed e:
                return _connections.RemoveAll(opened => opened.Connection == e.Connection) > 0;
            case PeerJoined e:
                _joined = e;
                return true;
            case PeerUpdated e when _joined is not null:
                _joined = _joined with { Kind = e.Kind, Endpoints = e.Endpoints };
                return true;
            case PeerLeft when _joined is not null:
                _joined = null;
                return true;
            default:
                return data is ReverseConnectivityConfirmed or ReverseConnectivityFailed;
        }
    }
}
