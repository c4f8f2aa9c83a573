using EventMesh.Events;
using EventMesh.Journal;
using EventMesh.Plugins.Internal;
using Microsoft.Extensions.Logging;

namespace EventMesh.Plugins.Dispatch.Internal;

/// <summary>
/// Counts a plugin's failures, tells the log of them without filling it, and decides on quarantine. All members may be called concurrently.
/// </summary>
internal sealed class FailureMonitor(string plugin, int quarantineAfter, IEventJournal journal, TimeProvider time, ILogger logger)
{
    private static readonly TimeSpan EventInterval = TimeSpan.FromSeconds(10);
    private readonly Lock _mutex = new();
    private long? _lastEvent;
    private long _withoutEvent;
    private long _total;
    private int _inARow;
    private int _overdue;
    private bool _quarantined;

    /// <summary>Whether the plugin receives nothing any more.</summary>
    public bool IsQuarantined
    {
        get
        {
            lock (_mutex)
                return _quarantined;
        }
    }

    /// <summary>All failures.</summary>
    public long Total => Interlocked.Read(ref _total);

    /// <summary>Something was handled: the row of failures ends.</summary>
    public void Succeeded()
    {
        lock (_mutex)
            _inARow = 0;
    }

    /// <summary>Handlers ran out of time; they count until they return, because each may hold a thread.</summary>
    /// <returns>Whether the plugin has to be quarantined now.</returns>
    public bool Abandoned(string work, Task handling, TimeSpan limit)
    {
        lock (_mutex)
            _overdue++;
        _ = handling.ContinueWith(
            ended =>
            {
                _ = ended.Exception; // Observed: it was reported as a time-out.
                lock (_mutex)
                    _overdue--;
            },
            CancellationToken.None, TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);
        return Failed(work, MeshError.Timeout, new TimeoutException($"It ran for more than {limit.TotalSeconds:0.###} s and is no longer waited for."));
    }

    /// <summary>Handlers failed.</summary>
    /// <returns>Whether the plugin has to be quarantined now.</returns>
    public bool Failed(string work, MeshError error, Exception exception)
    {
        PluginMetrics.Failures.Add(1, PluginMetrics.Tag(plugin), PluginMetrics.Tag(error));
        Log.HandlerFailed(logger, plugin, work, exception);
        string reason = Unusable.Describe(exception);
        bool quarantine;
        bool report;
        int failures;
        lock (_mutex)
        {
            _total++;
            _inARow++;
            quarantine = !_quarantined && (_inARow >= quarantineAfter || _overdue >= quarantineAfter);
            _quarantined |= quarantine;
            failures = Math.Max(_inARow, _overdue);
            report = _lastEvent is not { } last || time.GetElapsedTime(last) >= EventInterval;
            if (report)
            {
                if (_withoutEvent > 0)
                    reason = $"{reason} (and {_withoutEvent} failures since the last event)";
                _withoutEvent = 0;
                _lastEvent = time.GetTimestamp();
            }
            else
            {
                _withoutEvent++;
            }
        }

        if (report)
            Record(new PluginFailed(plugin, work, reason));
        if (quarantine)
        {
            PluginMetrics.Quarantined.Add(1, PluginMetrics.Tag(plugin));
            Record(new PluginQuarantined(plugin, failures));
            Log.PluginQuarantined(logger, plugin, failures, reason);
        }

        return quarantine;
    }

    private void Record(IMeshEvent data)
    {
        try
        {
            journal.Record(data);
        }
        catch (Exception e)
        {
            // The node is stopping or has lost its log: nothing that a plugin's worker should end for.
            Log.ReportFailed(logger, plugin, e);
        }
    }
}
