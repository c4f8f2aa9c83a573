using System.Diagnostics;
using EventMesh.Events;
using EventMesh.Identity;
using EventMesh.Journal.Internal;
using EventMesh.Node;
using EventMesh.Projections;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace EventMesh.Journal;

/// <summary>
/// The journal of one node: gives events their place and their effect in memory, and one writer brings them to the store, through the
/// spool while the store does not acknowledge. A local replica of what is committed makes the next start short, and possible without the store.
/// </summary>
/// <remarks>
/// Calling contract: <see cref="OpenAsync"/> once, before all else; then everything concurrently; <see cref="StopAsync"/> ends it in order,
/// <see cref="DisposeAsync"/> alone as a crash would. The store is not disposed. docs/journal.md tells what is durable when.
/// </remarks>
public sealed partial class EventJournal : IEventJournal, IAsyncDisposable
{
    /// <summary>
    /// How many events may wait in memory: 65,536, about 1 KiB each with what it holds. The writer empties the queue to the store or to
    /// the spool; it fills when neither takes events, and then the journal fails.
    /// </summary>
    public const int QueueCapacity = 65_536;

    private readonly Lock _mutex = new();
    private readonly IEventStore _store;
    private readonly EventSpool _spool;
    private readonly LocalReplica _replica;
    private readonly TimeProvider _time;
    private readonly JournalOptions _options;
    private readonly ILogger<EventJournal> _logger;
    private readonly JournalQueue _queue = new(QueueCapacity);
    private readonly DurabilityGate _durable = new();
    private readonly JournalFollowers _followers = new();
    private readonly TaskCompletionSource<MeshException> _failed = new(TaskCreationOptions.RunContinuationsAsynchronously);

    private NodeId _node;
    private MeshState _state = MeshState.Empty;
    private Phase _phase;
    private MeshException? _failure;
    private bool _isDeciding;
    private int _epoch;
    private long _lastNodeSeq;
    private DateTimeOffset _lastTime;
    private Guid _lastId;

    /// <summary>Makes a journal; <see cref="OpenAsync"/> connects it with what <paramref name="store"/> and <paramref name="spool"/> hold.</summary>
    /// <param name="store">The store; it has been opened.</param>
    /// <param name="spool">The spool, not opened; the journal owns it from then on.</param>
    /// <param name="time">The clock of events and the timers of the writer.</param>
    /// <param name="options">The settings; <see cref="MeshOptions.Journal"/> is used.</param>
    /// <param name="logger">Where the journal tells how the store and the spool fare.</param>
    public EventJournal(IEventStore store, EventSpool spool, TimeProvider time, IOptions<MeshOptions> options, ILogger<EventJournal> logger)
    {
        ArgumentNullException.ThrowIfNull(store);
        ArgumentNullException.ThrowIfNull(spool);
        ArgumentNullException.ThrowIfNull(time);
        ArgumentNullException.ThrowIfNull(options);
        ArgumentNullException.ThrowIfNull(logger);
        ArgumentOutOfRangeException.ThrowIfLessThan(options.Value.Journal.BatchSize, 1, nameof(options));
        _store = store;
        _spool = spool;
        _time = time;
        _options = options.Value.Journal;
        _held = new HeldPeers(new Limits.Internal.MinuteBudget(_options.NewPeersPerMinute, time), _counts);
        _logger = logger;
        _storeWriter = new StoreWriter(store, time, logger);
        _replica = new LocalReplica(logger);
        _created = time.GetTimestamp();
    }

    private enum Phase
    {
        Created,
        Opening,
        Open,
        Stopped,
        Failed,
    }

    /// <inheritdoc/>
    public MeshState State => Volatile.Read(ref _state);

    /// <inheritdoc/>
    public int Epoch => Volatile.Read(ref _epoch);

    /// <inheritdoc/>
    public long LastNodeSeq
    {
        get
        {
            lock (_mutex)
                return _lastNodeSeq;
        }
    }

    /// <inheritdoc/>
    public Task<MeshException> Failed => _failed.Task;

    /// <summary>How far the journal is. Takes no lock for long: a health check may ask often.</summary>
    public JournalStatus Status
    {
        get
        {
            lock (_mutex)
            {
                return new JournalStatus(
                    _phase switch
                    {
                        Phase.Failed => JournalState.Failed,
                        Phase.Open or Phase.Opening => WriterState,
                        _ => JournalState.Stopped,
                    },
                    _queue.Count + Volatile.Read(ref _inHand),
                    _spool.Count,
                    _lastNodeSeq,
                    _durable.Last,
                    Volatile.Read(ref _committed))
                {
                    SpoolingSince = Volatile.Read(ref _spell)?.Began,
                    Cause = Volatile.Read(ref _spell)?.Cause,
                    SpoolBytes = Volatile.Read(ref _spoolBytes),
                    SpoolLimit = _options.SpoolLimit,
                    IsSummarising = _isSummarising,
                    IsSpoolRefusing = _isSpoolRefusing,
                    HeldBackPeers = _held.Count,
                };
            }
        }
    }

    /// <inheritdoc/>
    /// <exception cref="InvalidOperationException">The journal is not open yet, or a decision calls it.</exception>
    /// <exception cref="MeshException">
    /// Nothing was recorded: <see cref="MeshError.NodeStopped"/> after a stop, <see cref="MeshError.EpochLost"/> and others when the journal
    /// has failed, <see cref="MeshError.QueueFull"/> when it fails by this call, see <see cref="QueueCapacity"/>.
    /// </exception>
    public RecordedEvent Record(IMeshEvent data)
    {
        ArgumentNullException.ThrowIfNull(data);
        EventDescriptor descriptor = EventRegistry.Default.Get(data.GetType());
        RecordedEvent recorded;
        lock (_mutex)
        {
            ThrowUnlessRecording(0);
            var unit = new ReadOnlySpan<IMeshEvent>(in data);
            if (IsHeldBack(_state, data, unit))
                return WithoutPlace(data);
            bool isAlone = _held.MadeKnownBy(data, unit).Count == 0;
            if (isAlone && IsSummarised(_state, data))
                return WithoutPlace(data);
            ThrowUnlessRecording(1);
            recorded = Place(data, _lastNodeSeq, _lastTime);
            if (isAlone && !SegmentOpening.IsDue(_state, data, recorded.Time))
                Take(recorded, MeshState.Apply(_state, recorded));
            else if (TakeUnit([data]) is [var taken])
                recorded = taken;
            else
                return WithoutPlace(data);
        }
        JournalMetrics.Recorded(descriptor);
        return recorded;
    }

    /// <inheritdoc/>
    /// <exception cref="InvalidOperationException">The journal is not open yet, or a decision calls it.</exception>
    /// <exception cref="MeshException">Nothing was recorded: as with <see cref="Record"/>.</exception>
    public IReadOnlyList<RecordedEvent> Decide(Func<MeshState, IEnumerable<IMeshEvent>> decision)
    {
        ArgumentNullException.ThrowIfNull(decision);
        RecordedEvent[] recorded;
        lock (_mutex)
        {
            ThrowUnlessRecording(0);
            recorded = DecideLocked(decision);
        }
        foreach (RecordedEvent each in recorded)
            JournalMetrics.Recorded(EventRegistry.Default.Get(each.Data.GetType()));
        return recorded;
    }

    /// <inheritdoc/>
    public bool IsDurable(RecordedEvent recorded)
    {
        ArgumentNullException.ThrowIfNull(recorded);
        return recorded.NodeSeq > 0 && recorded.NodeSeq <= _durable.Last;
    }

    /// <inheritdoc/>
    public Task WhenDurableAsync(RecordedEvent recorded, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(recorded);
        if (recorded.NodeSeq == 0)
        {
            return Task.FromException(new MeshException(
                MeshError.QueueFull, "The spool is full, or too many new peers come: the event was only counted and has no place in the log."));
        }
        return _durable.WhenAsync(recorded.NodeSeq, cancellationToken);
    }

    /// <inheritdoc/>
    /// <remarks>The reader's place is taken by this call, not by the first read. The result can be enumerated once; it ends when the journal stops.</remarks>
    public IAsyncEnumerable<RecordedEvent> FollowAsync(CancellationToken cancellationToken)
    {
        // Under the lock, so that a reader sees a decision whole or not at all.
        lock (_mutex)
            return _followers.ReadAsync(_followers.Add(), cancellationToken);
    }

    private static string? TraceParent() => Activity.Current is { IdFormat: ActivityIdFormat.W3C } activity ? activity.Id : null;

    private RecordedEvent[] DecideLocked(Func<MeshState, IEnumerable<IMeshEvent>> decision)
    {
        IMeshEvent[] decided;
        _isDeciding = true;
        try
        {
            decided = [.. decision(_state)];
        }
        finally
        {
            _isDeciding = false;
        }
        foreach (IMeshEvent data in decided)
        {
            ArgumentNullException.ThrowIfNull(data, nameof(decision));
            EventRegistry.Default.Get(data.GetType());
        }
        return TakeUnit(decided);
    }

    // What opens a month goes before its first event, and what is owed of a held-back peer before what makes it known, in the same unit; neither is among what is returned,
    // nor is what is only counted.
    private RecordedEvent[] TakeUnit(IMeshEvent[] unit, IReadOnlyList<IMeshEvent>? owedBefore = null)
    {
        ThrowUnlessRecording(unit.Length);
        List<RecordedEvent> recorded = new(unit.Length);
        List<RecordedEvent> all = new(unit.Length);
        MeshState state = _state;
        DateTimeOffset last = _lastTime;
        if (owedBefore is not null)
            PayBack(owedBefore);
        foreach (IMeshEvent data in unit)
        {
            if (IsHeldBack(state, data, unit))
                continue;
            foreach (PeerId peer in _held.MadeKnownBy(data, unit))
                PayBack(_held.Release(peer));
            if (!IsSummarised(state, data))
                recorded.Add(Add(data));
        }
        foreach (RecordedEvent each in all)
            Take(each, state);
        return [.. recorded];

        void PayBack(IReadOnlyList<IMeshEvent> owed)
        {
            ThrowUnlessRecording(all.Count + owed.Count + unit.Length);
            foreach (IMeshEvent data in owed)
            {
                if (!IsStillOwed(state, data))
                    continue;
                Add(data);
                JournalMetrics.Recorded(EventRegistry.Default.Get(data.GetType()));
            }
        }

        RecordedEvent Add(IMeshEvent data)
        {
            DateTimeOffset now = _time.GetUtcNow();
            if (SegmentOpening.IsDue(state, data, EventTime.Next(last, now)))
            {
                ThrowUnlessRecording(all.Count + unit.Length + SegmentOpening.Count);
                now = SegmentOpening.TimeOf(EventTime.Next(last, now));
                foreach (IMeshEvent opening in SegmentOpening.Open(state, now))
                {
                    AddAt(opening, now);
                    JournalMetrics.Recorded(EventRegistry.Default.Get(opening.GetType()));
                }
            }
            return AddAt(data, now);
        }

        RecordedEvent AddAt(IMeshEvent data, DateTimeOffset now)
        {
            RecordedEvent placed = Place(data, _lastNodeSeq + all.Count, last, now);
            all.Add(placed);
            state = MeshState.Apply(state, placed);
            last = placed.Time;
            return placed;
        }
    }

    private RecordedEvent WithoutPlace(IMeshEvent data)
    {
        DateTimeOffset now = _time.GetUtcNow();
        DateTimeOffset time = EventTime.Next(_lastTime, now);
        return new RecordedEvent(EventIdentifier.New(time), _epoch, 0, time, data, TraceParent());
    }

    private RecordedEvent Place(IMeshEvent data, long lastNodeSeq, DateTimeOffset lastTime) => Place(data, lastNodeSeq, lastTime, _time.GetUtcNow());

    private RecordedEvent Place(IMeshEvent data, long lastNodeSeq, DateTimeOffset lastTime, DateTimeOffset now)
    {
        DateTimeOffset time = EventTime.Next(lastTime, now);
        return new RecordedEvent(EventIdentifier.New(time), _epoch, lastNodeSeq + 1, time, data, TraceParent());
    }

    private void Take(RecordedEvent recorded, MeshState state)
    {
        _lastNodeSeq = recorded.NodeSeq;
        _lastTime = recorded.Time;
        _lastId = recorded.Id;
        Volatile.Write(ref _state, state);
        _queue.Add(recorded);
        _followers.Publish(recorded);
    }

    private void ThrowUnlessRecording(int count)
    {
        if (_isDeciding)
            throw new InvalidOperationException("A decision is pure: it records by what it returns.");
        switch (_phase)
        {
            case Phase.Open:
                break;
            case Phase.Stopped:
                throw NodeStopped();
            case Phase.Failed:
                throw new MeshException(_failure!.Error, _failure.Message, _failure);
            default:
                throw new InvalidOperationException("The journal is not open.");
        }
        if (_queue.HasRoom(count))
            return;
        MeshException full = new(
            MeshError.QueueFull,
            $"{QueueCapacity} events wait in memory: neither the store nor the spool '{_spool.Path}' takes them. The node stops so that no event is lost unseen.");
        Fail(full);
        throw full;
    }

    // The writer sees the failure after what it is at: it gives up only the events that nothing took.
    private void Fail(MeshException failure)
    {
        lock (_mutex)
        {
            if (_phase is Phase.Failed or Phase.Stopped)
                return;
            _phase = Phase.Failed;
            _failure = failure;
            _failed.TrySetResult(failure);
        }
        _queue.Complete();
        _followers.Complete(failure);
        Log.Failed(_logger, failure.Error, failure);
    }

    private static MeshException NodeStopped() => new(MeshError.NodeStopped, "The journal has stopped: nothing more can be recorded.");
}
