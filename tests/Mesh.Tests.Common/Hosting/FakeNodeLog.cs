using System.Runtime.CompilerServices;
using System.Threading.Channels;
using EventMesh.Events;
using EventMesh.Identity;
using EventMesh.Journal;
using EventMesh.Projections;

namespace EventMesh.Tests.Common.Hosting;

/// <summary>
/// A journal and its store in which a test decides when a recorded event reaches the store: the moments between the two are what readers of both must
/// get right.
/// </summary>
public sealed class FakeNodeLog : IEventJournal, IEventStore
{
    private readonly Lock _mutex = new();
    private readonly List<RecordedEvent> _recorded = [];
    private readonly List<Channel<RecordedEvent>> _followers = [];
    private int _stored;
    private TaskCompletionSource _followed = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public bool IsExternal => false;

    public string Name => "fake";

    public MeshState State { get; private set; } = MeshState.Empty;

    public int Epoch => 1;

    public long LastNodeSeq
    {
        get
        {
            lock (_mutex) return _recorded.Count;
        }
    }

    public bool HasRoomFor(PeerId peer) => true;

    public Task WhenKnownAsync(PeerId peer, CancellationToken cancellationToken) => Task.CompletedTask;

    public Task<MeshException> Failed { get; } = new TaskCompletionSource<MeshException>().Task;

    /// <summary>How many reads of the store have ended.</summary>
    public int Reads { get; private set; }

    /// <summary>Called at the end of each read of the store, before its last event has been handed over.</summary>
    public Action? OnRead { get; set; }

    /// <summary>Completes when somebody follows.</summary>
    public Task Followed => _followed.Task;

    /// <summary>Records, live and in memory, not yet in the store.</summary>
    public RecordedEvent Record(IMeshEvent data)
    {
        lock (_mutex)
        {
            long seq = _recorded.Count + 1;
            DateTimeOffset time = DateTimeOffset.UnixEpoch.AddSeconds(seq);
            RecordedEvent recorded = new(Guid.CreateVersion7(time), 1, seq, time, data, null);
            _recorded.Add(recorded);
            State = MeshState.Apply(State, recorded);
            foreach (Channel<RecordedEvent> follower in _followers) follower.Writer.TryWrite(recorded);
            return recorded;
        }
    }

    /// <summary>The store holds what was recorded up to a place; all without one.</summary>
    public void Store(int? until = null)
    {
        lock (_mutex) _stored = until ?? _recorded.Count;
    }

    /// <summary>All followers are told that they fell behind.</summary>
    public void OverrunFollowers()
    {
        lock (_mutex)
        {
            foreach (Channel<RecordedEvent> follower in _followers) follower.Writer.TryComplete(new MeshException(MeshError.QueueFull, "fell behind"));
            _followers.Clear();
            _followed = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        }
    }

    public async IAsyncEnumerable<RecordedEvent> FollowAsync([EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var channel = Channel.CreateBounded<RecordedEvent>(100_000);
        lock (_mutex)
        {
            _followers.Add(channel);
            _followed.TrySetResult();
        }
        await foreach (RecordedEvent recorded in channel.Reader.ReadAllAsync(cancellationToken)) yield return recorded;
    }

    public async IAsyncEnumerable<RecordedEvent> ReadAsync(
        NodeId node, long afterNodeSeq, IReadOnlySet<StreamFamily>? families, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        await Task.Yield();
        RecordedEvent[] events;
        lock (_mutex)
        {
            events =
            [
                .. _recorded.Take(_stored).Where(e => e.NodeSeq > afterNodeSeq
                    && families?.Contains(EventRegistry.Default.Get(e.Data.GetType()).Family) != false),
            ];
        }
        Reads++;
        OnRead?.Invoke();
        foreach (RecordedEvent recorded in events)
        {
            cancellationToken.ThrowIfCancellationRequested();
            yield return recorded;
        }
    }

    public IReadOnlyList<RecordedEvent> Decide(Func<MeshState, IEnumerable<IMeshEvent>> decision) => [.. decision(State).Select(Record)];

    public bool IsDurable(RecordedEvent recorded) => recorded.NodeSeq <= _stored;

    /// <summary>How an event becomes durable; at once without it.</summary>
    public Func<RecordedEvent, Task>? OnWhenDurable { get; set; }

    public Task WhenDurableAsync(RecordedEvent recorded, CancellationToken cancellationToken) =>
        OnWhenDurable?.Invoke(recorded).WaitAsync(cancellationToken) ?? Task.CompletedTask;

    public Task OpenAsync(NodeId node, string dataDirectory, CancellationToken cancellationToken) => Task.CompletedTask;

    public Task<LogPosition> GetPositionAsync(NodeId node, CancellationToken cancellationToken) => Task.FromResult(new LogPosition(1, _stored, default));

    public Task ClaimEpochAsync(NodeId node, RecordedEvent started, CancellationToken cancellationToken) => Task.CompletedTask;

    public Task AppendAsync(NodeId node, IReadOnlyList<RecordedEvent> batch, CancellationToken cancellationToken) => Task.CompletedTask;

    public Task<IReadOnlySet<Guid>> FindAsync(NodeId node, IReadOnlyList<Guid> ids, CancellationToken cancellationToken) =>
        Task.FromResult<IReadOnlySet<Guid>>(new HashSet<Guid>());

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;
}
