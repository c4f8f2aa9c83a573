using EventMesh.Host.Endpoints;
using EventMesh.Host.Events;

namespace EventMesh.Host.Demo;

/// <summary>Follows a node's log and knows from it who is joined, and how it joined.</summary>
internal sealed class NodeWatch : IAsyncDisposable
{
    private readonly Lock _mutex = new();
    private readonly CancellationTokenSource _stopped = new();
    private readonly DemoNode _node;
    private readonly Action _changed;
    private readonly Task _following;
    private readonly Dictionary<PeerId, Guid> _joined = [];
    private TaskCompletionSource _next = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private string? _bootstrapSource;
    private string _lastEvent = "";
    private long _lastSeq;
    private Exception? _failure;

    public NodeWatch(DemoNode node, Action changed)
    {
        _node = node;
        _changed = changed;
        _following = FollowAsync();
    }

    /// <summary>How many peers are joined.</summary>
    public int Peers
    {
        get
        {
            lock (_mutex) return _joined.Count;
        }
    }

    /// <summary>The last event, for people.</summary>
    public string LastEvent
    {
        get
        {
            lock (_mutex) return _lastEvent;
        }
    }

    /// <summary>The place of the last event.</summary>
    public long LastSeq
    {
        get
        {
            lock (_mutex) return _lastSeq;
        }
    }

    /// <summary>Where the peer was known from with which the running process joined the mesh; null until it has.</summary>
    public string? BootstrapSource
    {
        get
        {
            lock (_mutex) return _bootstrapSource;
        }
    }

    /// <summary>Whether a peer is joined, in the process that it is now.</summary>
    public bool IsJoined(PeerId peer, Guid? instance = null)
    {
        lock (_mutex) return _joined.TryGetValue(peer, out Guid joined) && (instance is null || instance == joined);
    }

    /// <summary>The instance that a peer is joined as.</summary>
    public Guid? InstanceOf(PeerId peer)
    {
        lock (_mutex) return _joined.TryGetValue(peer, out Guid instance) ? instance : null;
    }

    /// <summary>Waits until something holds; it is asked after each event.</summary>
    public async Task WaitUntilAsync(Func<NodeWatch, bool> condition, CancellationToken cancellationToken)
    {
        while (true)
        {
            Task next;
            lock (_mutex)
            {
                next = _next.Task;
                if (_failure is not null) throw new MeshException(MeshError.NodeStopped, $"Node {_node.Name}: {_failure.Message}", _failure);
            }
            if (condition(this)) return;
            await next.WaitAsync(cancellationToken);
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _stopped.CancelAsync();
        await _following;
        _stopped.Dispose();
    }

    private async Task FollowAsync()
    {
        Exception failure;
        try
        {
            await foreach (EventView recorded in _node.Client.GetEventsAsync(0, follow: true, _stopped.Token)) Apply(recorded);
            failure = new MeshException(MeshError.NodeStopped, "it stopped.");
        }
        catch (Exception e)
        {
            failure = e;
        }
        lock (_mutex) _failure = failure;
        Pulse();
    }

    private void Apply(EventView recorded)
    {
        lock (_mutex)
        {
            _lastSeq = recorded.Seq;
            _lastEvent = $"{recorded.Event} {EventLine.FormatData(recorded.Data)}";
            switch (recorded.Event)
            {
                case "node.started.v1":
                    _joined.Clear();
                    _bootstrapSource = null;
                    break;
                case "node.bootstrap-succeeded.v1":
                    _bootstrapSource ??= recorded.Data.GetProperty("source").GetString();
                    break;
                case "peer.joined.v1":
                    _joined[PeerId.Parse(recorded.Data.GetProperty("peer").GetString()!)] = recorded.Data.GetProperty("instance").GetGuid();
                    break;
                case "peer.left.v1":
                    _joined.Remove(PeerId.Parse(recorded.Data.GetProperty("peer").GetString()!));
                    break;
                default:
                    break;
            }
        }
        Pulse();
    }

    private void Pulse()
    {
        TaskCompletionSource current;
        lock (_mutex)
        {
            current = _next;
            _next = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        }
        current.TrySetResult();
        _changed();
    }
}
