using EventMesh.Events;
using EventMesh.Identity;
using EventMesh.Journal.Internal;
using EventMesh.Projections;

namespace EventMesh.Journal;

// What happens at the spool's limit and when too many new peers come, and what the log says of its own way to the store.
public sealed partial class EventJournal
{
    // What a crash can cost of the counts, how much the log grows meanwhile, and how long a held-back peer waits when its turn has come.
    private static readonly TimeSpan SummaryInterval = TimeSpan.FromSeconds(10);

    // Beyond its limit the spool takes so much more, for events that are never summarised.
    private const int ReservePart = 16;

    private readonly SpoolingSpells _spells = new(TimeSpan.FromSeconds(1));
    private readonly long _created;

    // All under the lock. The summary is not null while the spool is full, the timer while there is something to tell or to wait for.
    private readonly ConnectionCounts _counts = new();
    private readonly HeldPeers _held;
    private ConnectionSummary? _summary;
    private DateTimeOffset _summarisedSince;
    private ITimer? _summaryTimer;

    // Read by the status.
    private SpoolingSpell? _spell;
    private long _spoolBytes;
    private volatile bool _isSummarising;

    /// <summary>How long a spell of spooling lasts before the log says so. Defaults to a second.</summary>
    internal TimeSpan ReportAfter
    {
        get => _spells.ReportAfter;
        init => _spells = new SpoolingSpells(value);
    }

    /// <summary>How many new peers are held back before further ones are refused. Defaults to 16,384.</summary>
    internal int MaxHeldBack
    {
        init => _held.Capacity = value;
    }

    private long SpoolEnd => _options.SpoolLimit + (_options.SpoolLimit / ReservePart);

    /// <inheritdoc/>
    public bool HasRoomFor(PeerId peer)
    {
        lock (_mutex)
            return _held.HasRoomFor(_state, peer);
    }

    /// <inheritdoc/>
    public Task WhenKnownAsync(PeerId peer, CancellationToken cancellationToken)
    {
        Task ended;
        lock (_mutex)
            ended = _held.WhenEnded(peer);
        return ended.IsCompleted ? ended : ended.WaitAsync(cancellationToken);
    }

    private bool IsHeldBack(MeshState state, IMeshEvent data, ReadOnlySpan<IMeshEvent> unit)
    {
        if (!_held.TryCount(state, data, unit))
            return false;
        StartSummaryTimer();
        JournalMetrics.Summarised();
        return true;
    }

    private bool IsSummarised(MeshState state, IMeshEvent data)
    {
        if (_summary is null || !_summary.TryCount(state, data))
            return false;
        JournalMetrics.Summarised();
        return true;
    }

    // Of what was held back: a full spool takes no connections now either.
    private bool IsStillOwed(MeshState state, IMeshEvent data) =>
        !NewPeers.IsOutdated(state, data) && (_summary is null || !_summary.TryKeep(state, data));

    // The writer has measured a spool that is at its limit.
    private void BeginSummarising()
    {
        lock (_mutex)
        {
            if (_summary is not null || _phase != Phase.Open)
                return;
            _summary = new ConnectionSummary(_counts);
            _isSummarising = true;
            StartSummaryTimer();
        }
        Log.SummarisingBegan(_logger, _spool.Path, _options.SpoolLimit);
    }

    // The writer has freed space. Half of it, so that the two ways do not alternate; the log catches up with what stands in one unit.
    private void EndSummarisingIfFree()
    {
        if (!_isSummarising || (_spool.Count > 0 && _spoolBytes > _options.SpoolLimit / 2))
            return;
        int caughtUp;
        lock (_mutex)
        {
            if (_summary is null || _phase != Phase.Open || !_queue.HasRoom(_summary.StandingCount + 1 + SegmentOpening.Count))
                return;
            ConnectionSummary summary = _summary;
            _summary = null;
            _isSummarising = false;
            IReadOnlyList<IMeshEvent> standing = summary.TakeStanding();
            caughtUp = standing.Count;
            TakeOwn([.. TakeCounts(), .. standing]);
            StopSummaryTimerIfIdle();
        }
        Log.SummarisingEnded(_logger, _spool.Path, caughtUp);
    }

    private void OnSummaryTimer()
    {
        lock (_mutex)
        {
            if (_phase != Phase.Open || !_queue.HasRoom(1 + SegmentOpening.Count))
                return;
            TakeOwn([.. TakeCounts()]);
            // A full spool has no room for them.
            while (_summary is null && _queue.HasRoom(_held.OwedOfOldest + SegmentOpening.Count) && _held.TryReleaseOldest() is { } owed)
                TakeUnit([], owed);
            StopSummaryTimerIfIdle();
        }
    }

    private void StartSummaryTimer()
    {
        if (_summaryTimer is not null)
            return;
        _summarisedSince = _time.GetUtcNow();
        // What the timer records is not a part of what its starter is at.
        using (ExecutionContext.SuppressFlow())
            _summaryTimer = _time.CreateTimer(_ => OnSummaryTimer(), null, SummaryInterval, SummaryInterval);
    }

    private void StopSummaryTimerIfIdle()
    {
        if (_summary is not null || _held.Count > 0)
            return;
        _summaryTimer?.Dispose();
        _summaryTimer = null;
    }

    private IMeshEvent[] TakeCounts()
    {
        IMeshEvent[] counts = Present(_counts.Take(_summarisedSince));
        _summarisedSince = _time.GetUtcNow();
        return counts;
    }

    private void StopSummaryTimer()
    {
        lock (_mutex)
        {
            _summaryTimer?.Dispose();
            _summaryTimer = null;
        }
    }

    // The events that end the log: the counts that no event has yet, and the stop itself. Under the lock.
    private IEnumerable<IMeshEvent> LastEvents(string reason) => [.. TakeCounts(), new NodeStopped(reason)];

    private void ReportSpooled(int count) => Report(_spells.Spooled(count, _storeWriter.IsAway, _time.GetUtcNow(), _time.GetElapsedTime(_created)));

    private void ReportLive() => Report(_spells.Ended(_time.GetUtcNow(), _time.GetElapsedTime(_created)));

    private void Report(JournalStateChanged? changed)
    {
        Volatile.Write(ref _spell, _spells.Current);
        if (changed is null)
            return;
        lock (_mutex)
        {
            if (_phase == Phase.Open && _queue.HasRoom(1 + SegmentOpening.Count))
                TakeOwn([changed]);
        }
    }

    // Events that the journal itself has to tell of. Under the lock, with room for them and for what opens a month before them.
    private void TakeOwn(IReadOnlyList<IMeshEvent> events)
    {
        foreach (RecordedEvent recorded in TakeUnit([.. events]))
            JournalMetrics.Recorded(EventRegistry.Default.Get(recorded.Data.GetType()));
    }

    private static IMeshEvent[] Present(IMeshEvent? data) => data is null ? [] : [data];
}
