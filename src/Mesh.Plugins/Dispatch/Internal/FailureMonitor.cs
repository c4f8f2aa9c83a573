using EventMesh.Dispatch;
using EventMesh.Events;
using EventMesh.Identity;
using EventMesh.Journal;
using EventMesh.Plugins.Internal;
using Microsoft.Extensions.Logging;

namespace EventMesh.Plugins.Dispatch.Internal;

/// <summary>
/// Counts a plugin's failures, tells the log of them without filling it, and decides on quarantine. All members may be called concurrently.
/// </summary>
/// <remarks>
/// What one peer sends must not take the plugin from everybody: a peer whose messages fail is muted for the plugin, and its failures are told to the node. Quarantine is for
/// failures that come from several peers, or from the node's own notifications.
/// </remarks>
internal sealed class FailureMonitor(
    string plugin, int quarantineAfter, IEventJournal journal, TimeProvider time, ILogger logger, IHandlerFailures? node = null)
{
    /// <summary>From how many peers failures have to come: keys may be free, so that this is a brake and no wall.</summary>
    public const int SeveralPeers = 3;

    // Handlers that never return hold threads, whoever sent what they hang at.
    private const int OverdueFactor = 4;

    private static readonly TimeSpan EventInterval = TimeSpan.FromSeconds(10);
    private readonly Lock _mutex = new();
    private long? _lastEvent;
    private long _withoutEvent;
    private long _total;
    private readonly PeerFailures _peers = new(quarantineAfter, time);
    private readonly HashSet<PeerId> _rowPeers = [];
    private readonly Dictionary<PeerId, int> _overduePeers = [];
    private bool _rowIsLocal;
    private int _inARow;
    private int _overdue;
    private int _overdueLocal;
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

    /// <summary>Whether the plugin gets nothing of a peer for now, because its messages failed.</summary>
    public bool IsMuted(PeerId peer)
    {
        lock (_mutex)
            return _peers.IsMuted(peer);
    }

    /// <summary>Something was handled: the row of failures ends.</summary>
    public void Succeeded(PeerId? from)
    {
        lock (_mutex)
        {
            _inARow = 0;
            _rowIsLocal = false;
            _rowPeers.Clear();
            if (from is { } peer)
                _peers.Succeeded(peer);
        }
    }

    /// <summary>Handlers ran out of time; they count until they return, because each may hold a thread.</summary>
    /// <returns>Whether the plugin has to be quarantined now.</returns>
    public bool Abandoned(string work, PeerId? from, Task handling, TimeSpan limit)
    {
        CountOverdue(from, 1);
        _ = handling.ContinueWith(
            ended =>
            {
                _ = ended.Exception; // Observed: it was reported as a time-out.
                CountOverdue(from, -1);
            },
            CancellationToken.None, TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);
        return Failed(work, from, MeshError.Timeout, new TimeoutException($"It ran for more than {limit.TotalSeconds:0.###} s and is no longer waited for."));
    }

    /// <summary>Handlers failed.</summary>
    /// <returns>Whether the plugin has to be quarantined now.</returns>
    public bool Failed(string work, PeerId? from, MeshError error, Exception exception)
    {
        PluginMetrics.Failures.Add(1, PluginMetrics.Tag(plugin), PluginMetrics.Tag(error));
        Log.HandlerFailed(logger, plugin, work, exception);
        string reason = Unusable.Describe(exception);
        bool quarantine;
        bool report;
        bool mutes = false;
        int failures;
        lock (_mutex)
        {
            _total++;
            _inARow++;
            if (from is { } peer)
            {
                if (_rowPeers.Count < SeveralPeers)
                    _rowPeers.Add(peer);
                mutes = _peers.Failed(peer, _overduePeers.GetValueOrDefault(peer));
            }
            else
            {
                _rowIsLocal = true;
            }

            bool rowCounts = _rowIsLocal || _rowPeers.Count >= SeveralPeers;
            bool overdueCounts = _overdueLocal > 0 || _overduePeers.Count >= SeveralPeers || _overdue >= OverdueFactor * quarantineAfter;
            quarantine = !_quarantined && ((_inARow >= quarantineAfter && rowCounts) || (_overdue >= quarantineAfter && overdueCounts));
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

        if (from is { } sender)
        {
            node?.Report(sender);
            if (mutes)
            {
                PluginMetrics.Muted.Add(1, PluginMetrics.Tag(plugin));
                Log.PeerMuted(logger, plugin, sender.ToShortString(), PeerFailures.MuteTime.TotalMinutes);
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

    private void CountOverdue(PeerId? from, int change)
    {
        lock (_mutex)
        {
            _overdue += change;
            if (from is not { } peer)
            {
                _overdueLocal += change;
                return;
            }

            int left = _overduePeers.GetValueOrDefault(peer) + change;
            if (left == 0)
                _overduePeers.Remove(peer);
            else
                _overduePeers[peer] = left;
        }
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
