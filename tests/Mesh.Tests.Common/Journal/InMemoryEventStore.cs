using System.Runtime.CompilerServices;
using EventMesh.Events;
using EventMesh.Identity;
using EventMesh.Journal;

namespace EventMesh.Tests.Common.Journal;

/// <summary>
/// A store in memory that keeps the contract of <see cref="IEventStore"/> and can be made to fail. Like a database it outlives the
/// journals that use it, so dispose does nothing.
/// </summary>
public sealed class InMemoryEventStore : IEventStore
{
    private readonly Lock _mutex = new();
    private readonly Dictionary<NodeId, NodeLog> _logs = [];
    private readonly List<Action> _lateCommits = [];
    private readonly List<int> _batches = [];
    private TaskCompletionSource _released = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private TaskCompletionSource _changed = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public string Name => "memory";

    public bool IsExternal { get; set; }

    /// <summary>Where the last read began: the place after which it asked for events.</summary>
    public long LastReadAfter { get; private set; } = -1;

    /// <summary>Asked before each append and claim; null for no faults.</summary>
    public Func<StoreFault>? WriteFaults { get; set; }

    /// <summary>Asked before each look-up and read; only <see cref="StoreFault.Unavailable"/> counts.</summary>
    public Func<StoreFault>? ReadFaults { get; set; }

    /// <summary>What an open does besides; null for nothing.</summary>
    public Func<CancellationToken, Task>? OnOpen { get; set; }

    /// <summary>How many appends and claims were attempted.</summary>
    public int Attempts { get; private set; }

    /// <summary>How long each append and claim takes before it has an effect.</summary>
    public TimeSpan CommitDelay { get; set; }

    /// <summary>What was given to the last append or claim, committed or not.</summary>
    public IReadOnlyList<RecordedEvent> LastBatch { get; private set; } = [];

    /// <summary>What was announced last.</summary>
    public IReadOnlyList<RecordedEvent> LastPrepared { get; private set; } = [];

    /// <summary>The sizes of the batches that were committed.</summary>
    public IReadOnlyList<int> Batches
    {
        get
        {
            lock (_mutex)
                return [.. _batches];
        }
    }

    /// <summary>Takes the store away, or brings it back.</summary>
    public bool IsAvailable
    {
        get;
        set
        {
            field = value;
            WriteFaults = value ? null : () => StoreFault.Unavailable;
            ReadFaults = WriteFaults;
        }
    } = true;

    /// <summary>Lets calls go on that hang.</summary>
    public void Release()
    {
        lock (_mutex)
        {
            _released.TrySetResult();
            _released = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        }
    }

    /// <summary>The node's log as it is.</summary>
    public IReadOnlyList<RecordedEvent> Content(NodeId node)
    {
        lock (_mutex)
            return [.. Log(node).Events];
    }

    /// <summary>Waits until the condition holds for the node's log.</summary>
    public async Task WhenAsync(NodeId node, Func<IReadOnlyList<RecordedEvent>, bool> condition, CancellationToken cancellationToken)
    {
        while (true)
        {
            Task changed;
            lock (_mutex)
            {
                if (condition(Log(node).Events))
                    return;
                changed = _changed.Task;
            }
            await changed.WaitAsync(cancellationToken).ConfigureAwait(false);
        }
    }

    /// <summary>Waits until so many appends and claims were attempted.</summary>
    public Task WhenAttemptedAsync(NodeId node, int attempts, CancellationToken cancellationToken) =>
        WhenAsync(node, _ => Attempts >= attempts, cancellationToken);

    /// <summary>The log loses its last events, as a database that was restored from a backup.</summary>
    public void Restore(NodeId node, int count)
    {
        lock (_mutex)
            Log(node).Truncate(count);
    }

    /// <summary>The log gets events from elsewhere, such as a copy of a store.</summary>
    public void Fill(NodeId node, IReadOnlyList<RecordedEvent> events)
    {
        lock (_mutex)
            Log(node).Commit(events);
    }

    /// <summary>Another process takes the node's log over.</summary>
    public RecordedEvent StealEpoch(NodeId node, NodeStarted started)
    {
        lock (_mutex)
        {
            NodeLog log = Log(node);
            LogPosition position = log.Position;
            var stolen = new RecordedEvent(
                Guid.NewGuid(), position.Epoch + 1, position.NodeSeq + 1, position.Time + TimeSpan.FromSeconds(1), started, null);
            log.Commit([stolen]);
            return stolen;
        }
    }

    public Task OpenAsync(NodeId node, string dataDirectory, CancellationToken cancellationToken)
    {
        if (IsExternal)
            ThrowIfUnreadable();
        return OnOpen?.Invoke(cancellationToken) ?? Task.CompletedTask;
    }

    public Task<LogPosition> GetPositionAsync(NodeId node, CancellationToken cancellationToken)
    {
        ThrowIfUnreadable();
        lock (_mutex)
            return Task.FromResult(Log(node).Position);
    }

    public Task ClaimEpochAsync(NodeId node, RecordedEvent started, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(started);
        return WriteAsync(node, [started], position => started.Epoch == position.Epoch + 1, cancellationToken);
    }

    public Task AppendAsync(NodeId node, IReadOnlyList<RecordedEvent> batch, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(batch);
        return WriteAsync(node, batch, position => batch.All(recorded => recorded.Epoch == position.Epoch), cancellationToken);
    }

    public void Prepare(NodeId node, IReadOnlyList<RecordedEvent> batch)
    {
        lock (_mutex)
        {
            LastPrepared = batch;
            Changed();
        }
    }

    public Task<IReadOnlySet<Guid>> FindAsync(NodeId node, IReadOnlyList<Guid> ids, CancellationToken cancellationToken)
    {
        ThrowIfUnreadable();
        lock (_mutex)
            return Task.FromResult<IReadOnlySet<Guid>>(ids.Where(Log(node).Ids.Contains).ToHashSet());
    }

    public Task<long?> FindMonthAsync(NodeId node, CancellationToken cancellationToken)
    {
        ThrowIfUnreadable();
        IReadOnlyList<RecordedEvent> log = Content(node);
        for (int i = log.Count - 2; i >= 0; i--)
        {
            if (log[i].Data is PeersSegmentOpened && log[i + 1].Data is CacheSegmentOpened)
                return Task.FromResult<long?>(log[i].NodeSeq);
        }
        return Task.FromResult<long?>(null);
    }

    public async IAsyncEnumerable<RecordedEvent> ReadAsync(
        NodeId node, long afterNodeSeq, IReadOnlySet<StreamFamily>? families, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        await Task.Yield();
        ThrowIfUnreadable();
        LastReadAfter = afterNodeSeq;
        foreach (RecordedEvent recorded in Content(node))
        {
            cancellationToken.ThrowIfCancellationRequested();
            EventDescriptor descriptor = EventRegistry.Default.Get(recorded.Data.GetType());
            if (recorded.NodeSeq > afterNodeSeq && families?.Contains(descriptor.Family) != false)
                yield return recorded with { Data = MeshJson.Deserialize(descriptor, MeshJson.Serialize(recorded.Data)) };
        }
    }

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;

    private static MeshException Unavailable() => new(MeshError.StoreUnavailable, "The store is away, as the test wants it.");

    private void ThrowIfUnreadable()
    {
        if (ReadFaults?.Invoke() == StoreFault.Unavailable)
            throw Unavailable();
    }

    private async Task WriteAsync(
        NodeId node, IReadOnlyList<RecordedEvent> batch, Func<LogPosition, bool> isLast, CancellationToken cancellationToken)
    {
        await Task.Yield();
        StoreFault fault;
        Task released;
        lock (_mutex)
        {
            Attempts++;
            LastBatch = batch;
            foreach (Action commit in _lateCommits)
                commit();
            _lateCommits.Clear();
            Changed();
            fault = WriteFaults?.Invoke() ?? StoreFault.None;
            released = _released.Task;
        }
        if (fault == StoreFault.Unavailable)
            throw Unavailable();
        if (CommitDelay > TimeSpan.Zero)
            await Task.Delay(CommitDelay, cancellationToken).ConfigureAwait(false);
        if (fault == StoreFault.Hang)
            await released.WaitAsync(cancellationToken).ConfigureAwait(false);
        lock (_mutex)
        {
            NodeLog log = Log(node);
            if (fault == StoreFault.FailThenCommit)
            {
                _lateCommits.Add(() => log.CommitIf(isLast(log.Position) && log.CanTake(batch), batch));
                throw Unavailable();
            }
            if (!isLast(log.Position))
                throw new MeshException(MeshError.EpochLost, "Another process has taken the log over.");
            if (!log.CanTake(batch))
                throw new MeshException(MeshError.ConcurrencyConflict, "The batch does not follow the end of the log.");
            log.Commit(batch);
            _batches.Add(batch.Count);
            Changed();
        }
        if (fault == StoreFault.CommitThenFail)
            throw Unavailable();
    }

    private void Changed()
    {
        _changed.TrySetResult();
        _changed = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
    }

    private NodeLog Log(NodeId node)
    {
        if (!_logs.TryGetValue(node, out NodeLog? log))
            _logs[node] = log = new NodeLog();
        return log;
    }

    private sealed class NodeLog
    {
        public List<RecordedEvent> Events { get; } = [];

        public HashSet<Guid> Ids { get; } = [];

        public LogPosition Position => Events.Count == 0 ? new LogPosition(0, 0, DateTimeOffset.MinValue) : At(Events[^1]);

        public bool CanTake(IReadOnlyList<RecordedEvent> batch) =>
            batch[0].NodeSeq == Position.NodeSeq + 1 && batch.All(recorded => !Ids.Contains(recorded.Id));

        public void Truncate(int count)
        {
            Events.RemoveRange(count, Events.Count - count);
            Ids.IntersectWith(Events.Select(recorded => recorded.Id));
        }

        public void CommitIf(bool condition, IReadOnlyList<RecordedEvent> batch)
        {
            if (condition)
                Commit(batch);
        }

        public void Commit(IReadOnlyList<RecordedEvent> batch)
        {
            foreach (RecordedEvent recorded in batch)
            {
                Events.Add(recorded);
                Ids.Add(recorded.Id);
            }
        }

        private static LogPosition At(RecordedEvent last) => new(last.Epoch, last.NodeSeq, last.Time);
    }
}
