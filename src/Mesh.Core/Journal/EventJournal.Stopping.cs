using EventMesh.Events;
using EventMesh.Journal.Internal;

namespace EventMesh.Journal;

public sealed partial class EventJournal
{
    // How long a stop waits for the store. What it has not taken by then waits in the spool.
    private static readonly TimeSpan StopTimeout = TimeSpan.FromSeconds(5);

    private Task? _stopTask;

    /// <summary>
    /// Records <see cref="Events.NodeStopped"/> as the last event, brings everything to the store, or to the spool when the store does not take it
    /// within 5 s, and closes. After a failure nothing more is recorded. Later calls return the first one's task.
    /// </summary>
    /// <param name="reason">Why the node stops, for people.</param>
    /// <param name="cancellationToken">Ends the wait for the store early; what is in memory still goes to the spool.</param>
    /// <remarks>The task fails with <see cref="MeshException"/> when events could be brought neither to the store nor to the spool.</remarks>
    public Task StopAsync(string reason, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(reason);
        lock (_mutex)
            return _stopTask ??= StopCoreAsync(reason, cancellationToken);
    }

    /// <summary>Ends the journal at once. Without <see cref="StopAsync"/> before it, events that are not durable are lost, as by a crash.</summary>
    public async ValueTask DisposeAsync()
    {
        _isAborted = true;
        Close();
        await _storeLimit.CancelAsync().ConfigureAwait(false);
        await _writer.ConfigureAwait(false);
        Task? stopTask;
        lock (_mutex)
            stopTask = _stopTask;
        if (stopTask is not null)
            await stopTask.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        End();
    }

    private async Task StopCoreAsync(string reason, CancellationToken cancellationToken)
    {
        // The caller holds the lock: no other event comes after this one.
        if (_phase == Phase.Open)
        {
            try
            {
                DecideLocked(_ => LastEvents(reason));
                JournalMetrics.Recorded(EventRegistry.Default.Get(typeof(NodeStopped)));
            }
            catch (MeshException exception)
            {
                // The queue is full: the next start finds no end and treats it as a crash.
                Log.StopNotRecorded(_logger, exception);
            }
        }
        Close();
        await Task.Yield();

        using (cancellationToken.UnsafeRegister(static state => ((CancellationTokenSource)state!).Cancel(), _storeLimit))
        {
            await WaitAsync(_writer, StopTimeout).ConfigureAwait(false);
            await _storeLimit.CancelAsync().ConfigureAwait(false);
            await _writer.ConfigureAwait(false);
        }
        long lost = _lastNodeSeq - _durable.Last;
        Log.Stopped(_logger, _lastNodeSeq, _spool.Count);
        End();
        if (lost == 0)
            return;
        Log.EventsLost(_logger, lost);
        throw new MeshException(
            _writerFailure?.Error ?? MeshError.StoreUnavailable,
            $"{lost} recorded events were taken neither by the store nor by the spool and are lost.",
            _writerFailure);
    }

    private void Close()
    {
        lock (_mutex)
        {
            if (_phase != Phase.Failed)
                _phase = Phase.Stopped;
        }
        _queue.Complete();
        _followers.Complete(null);
    }

    private void End()
    {
        StopSummaryTimer();
        JournalMetrics.Forget(this);
        CloseFiles();
    }
}
