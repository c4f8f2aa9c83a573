using EventMesh.Events;
using EventMesh.Journal.Internal;
using EventMesh.Projections;

namespace EventMesh.Journal;

// What happens at the spool's limit, and what the log says of its own way to the store.
public sealed partial class EventJournal
{
    // What a crash can cost of the counts, and how much the log grows meanwhile.
    private static readonly TimeSpan SummaryInterval = TimeSpan.FromSeconds(10);

    // Beyond its limit the spool takes so much more, for events that are never summarised.
    private const int ReservePart = 16;

    private readonly SpoolingSpells _spells = new(TimeSpan.FromSeconds(1));
    private readonly long _created;

    // Under the lock; not null while connections are summarised.
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

    private long SpoolEnd => _options.SpoolLimit + (_options.SpoolLimit / ReservePart);

    private bool IsCounted(MeshState state, IMeshEvent data)
    {
        if (_summary is null || !_summary.TryCount(state, data))
            return false;
        JournalMetrics.Summarised();
        return true;
    }

    // The writer has measured a spool that is at its limit.
    private void BeginSummarising()
    {
        lock (_mutex)
        {
            if (_summary is not null || _phase != Phase.Open)
                return;
            _summary = new ConnectionSummary();
            _summarisedSince = _time.GetUtcNow();
            _isSummarising = true;
            _summaryTimer = _time.CreateTimer(_ => RecordSummary(), null, SummaryInterval, SummaryInterval);
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
            TakeOwn([.. Present(summary.TakeCounts(_summarisedSince)), .. standing]);
            _summaryTimer?.Dispose();
            _summaryTimer = null;
        }
        Log.SummarisingEnded(_logger, _spool.Path, caughtUp);
    }

    private void RecordSummary()
    {
        lock (_mutex)
        {
            if (_summary is null || _phase != Phase.Open || !_queue.HasRoom(1 + SegmentOpening.Count))
                return;
            TakeOwn([.. Present(_summary.TakeCounts(_summarisedSince))]);
            _summarisedSince = _time.GetUtcNow();
        }
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
    private IEnumerable<IMeshEvent> LastEvents(string reason) => [.. Present(_summary?.TakeCounts(_summarisedSince)), new NodeStopped(reason)];

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
