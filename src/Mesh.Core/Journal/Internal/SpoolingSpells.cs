using EventMesh.Events;

namespace EventMesh.Journal.Internal;

/// <summary>
/// Decides which spells of spooling become events. A database that is slow now and then makes many short ones: these are only counted, so that
/// the log never grows from its own state faster than two events a minute. Pure but for what it remembers; not thread-safe.
/// </summary>
/// <param name="reportAfter">How long a spell lasts before it becomes an event.</param>
internal sealed class SpoolingSpells(TimeSpan reportAfter)
{
    /// <summary>The least time between two spells that become events.</summary>
    public static readonly TimeSpan Pause = TimeSpan.FromMinutes(1);

    private DateTimeOffset _began;
    private TimeSpan _beganAt;
    private TimeSpan? _reportedAt;
    private bool _isReported;
    private int _unreported;
    private long _events;
    private SpoolingCause _cause;

    /// <summary>How long a spell lasts before it becomes an event.</summary>
    public TimeSpan ReportAfter => reportAfter;

    /// <summary>The spell that lasts; null when events go straight to the store.</summary>
    public SpoolingSpell? Current { get; private set; }

    /// <summary>Events went to the spool. Returns the event to record, or null.</summary>
    /// <param name="count">How many.</param>
    /// <param name="isAway">Whether the store's last attempt failed.</param>
    /// <param name="now">The time, for people.</param>
    /// <param name="uptime">The same on a clock that is never set back.</param>
    public JournalStateChanged? Spooled(int count, bool isAway, DateTimeOffset now, TimeSpan uptime)
    {
        if (Current is null)
        {
            (_began, _beganAt, _isReported, _events, _cause) = (now, uptime, false, 0, SpoolingCause.Slow);
        }
        _events += count;
        if (isAway)
            _cause = SpoolingCause.Unavailable;
        Current = new SpoolingSpell(_began, _cause, _events);
        if (_isReported || !MayReport(uptime))
            return null;
        _isReported = true;
        return Report(LogState.Spooling, ended: null, uptime);
    }

    /// <summary>The store has everything. Returns the event to record, or null.</summary>
    /// <param name="now">The time, for people.</param>
    /// <param name="uptime">The same on a clock that is never set back.</param>
    public JournalStateChanged? Ended(DateTimeOffset now, TimeSpan uptime)
    {
        if (Current is null)
            return null;
        Current = null;
        if (_isReported || MayReport(uptime))
            return Report(LogState.Live, now, uptime);
        _unreported++;
        return null;
    }

    private bool MayReport(TimeSpan uptime) => uptime - _beganAt >= reportAfter && (_reportedAt is not { } last || uptime - last >= Pause);

    private JournalStateChanged Report(LogState state, DateTimeOffset? ended, TimeSpan uptime)
    {
        int unreported = _unreported;
        _unreported = 0;
        _reportedAt = uptime;
        return new JournalStateChanged(state, _cause, _began, ended, _events, unreported);
    }
}
