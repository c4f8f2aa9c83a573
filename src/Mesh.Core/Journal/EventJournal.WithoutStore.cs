using EventMesh.Events;
using EventMesh.Identity;
using EventMesh.Journal.Internal;
using EventMesh.Projections;

namespace EventMesh.Journal;

// A start without the store: the epoch is provisional until the store is back and nobody else has claimed it.
public sealed partial class EventJournal
{
    private static readonly TimeSpan FirstReopenDelay = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan MaxReopenDelay = TimeSpan.FromSeconds(15);

    // Not null until the store is back and has taken everything up to this process' own epoch.
    private Func<CancellationToken, Task>? _openStore;
    private LogPosition? _latePosition;

    /// <summary>
    /// Opens the journal while the store is away, from the local replica and what the spool holds. Events go to the spool, in the epoch
    /// after the last known one. When the store is back this epoch is claimed there; if another process has claimed it meanwhile, the
    /// journal fails with <see cref="MeshError.EpochLost"/> and the spool is kept.
    /// </summary>
    /// <param name="node">The log's tenant.</param>
    /// <param name="dataDirectory">Where the replica and the spool are.</param>
    /// <param name="started">Makes the event that takes the log over, from the folded state. Pure.</param>
    /// <param name="reason">Why the store could not be opened.</param>
    /// <param name="openStore">Opens the store; called again and again, every 1 to 15 s, until it succeeds.</param>
    /// <returns>False when there is no replica to start from; the journal can then only be disposed.</returns>
    /// <exception cref="MeshException">What <see cref="EventSpool.Open"/> and <see cref="EventSpool.Append"/> fail with.</exception>
    public bool TryOpenWithoutStore(
        NodeId node, string dataDirectory, Func<MeshState, NodeStarted> started, MeshException reason, Func<CancellationToken, Task> openStore)
    {
        ArgumentNullException.ThrowIfNull(started);
        ArgumentNullException.ThrowIfNull(reason);
        ArgumentNullException.ThrowIfNull(openStore);
        (MeshState State, LogPoint End)? loaded = TakeLoaded(node, dataDirectory);
        var isOpen = false;
        try
        {
            if (loaded is not { } replica)
                return false;
            (MeshState state, LogPoint end) = FoldSpool(replica);
            RecordedEvent first = PlaceStart(end.Position, started(state));
            _spool.Append([first]);
            OnStep?.Invoke(JournalStep.ClaimSpooled);
            _openStore = openStore;
            _writerState = JournalState.Spooling;
            Log.OpenedWithoutStore(_logger, _store.Name, end.Position.NodeSeq, reason.Message);
            Begin(first, MeshState.Apply(state, first), replica.End.Position.NodeSeq);
            Report(_spells.Spooled(1, isAway: true, _time.GetUtcNow(), _time.GetElapsedTime(_created)));
            isOpen = true;
        }
        finally
        {
            if (!isOpen)
                CloseFiles();
        }
        StartWriting();
        return true;
    }

    /// <summary>How many events the log has where a process that ran without the store put its own; 0 when it fits or does not fit for another reason.</summary>
    private static long FindHidden(LogPosition position, IReadOnlyList<RecordedEvent> missing) =>
        missing[0] is { Data: NodeStarted } first && first.Epoch == position.Epoch + 1 ? Math.Max(0, position.NodeSeq + 1 - first.NodeSeq) : 0;

    private (MeshState State, LogPoint End) FoldSpool((MeshState State, LogPoint End) start)
    {
        (MeshState state, LogPoint end) = start;
        while (_spool.Read(end.Position.NodeSeq, _options.BatchSize) is { Count: > 0 } batch)
        {
            foreach (RecordedEvent recorded in batch)
                state = MeshState.Apply(state, recorded);
            end = LogPoint.Of(batch[^1]);
        }
        return (state, end);
    }

    // What the spool holds of processes that ran without the store, and of this one: one epoch after the other.
    private async Task AppendLateAsync(IReadOnlyList<RecordedEvent> batch, CancellationToken cancellationToken)
    {
        LogPosition position = _latePosition ?? await FindPositionAsync(cancellationToken).ConfigureAwait(false);
        IReadOnlyList<RecordedEvent> missing = await RetryAsync(
            token => _storeWriter.FindMissingAsync(_node, batch, token), cancellationToken).ConfigureAwait(false);
        if (missing.Count > 0)
        {
            position = position with { NodeSeq = Math.Max(position.NodeSeq, missing[0].NodeSeq > batch[0].NodeSeq ? missing[0].NodeSeq - 1 : 0) };
            if (FindHidden(position, missing) is > 0 and var hidden)
            {
                throw new MeshException(
                    MeshError.ConcurrencyConflict,
                    $"The log in the store '{_store.Name}' has {hidden} events that this directory did not know of when it started without the store. Start the node " +
                    "again: its events then take the places after them.");
            }
            position = await AppendRunsAsync(position, missing, cancellationToken).ConfigureAwait(false);
        }
        _latePosition = position with { NodeSeq = Math.Max(position.NodeSeq, batch[^1].NodeSeq) };
    }

    private async Task<LogPosition> FindPositionAsync(CancellationToken cancellationToken)
    {
        await RetryAsync(
            async token =>
            {
                await _openStore!(token).ConfigureAwait(false);
                return true;
            },
            cancellationToken).ConfigureAwait(false);
        return await RetryAsync(token => _store.GetPositionAsync(_node, token), cancellationToken).ConfigureAwait(false);
    }

    private async Task<T> RetryAsync<T>(Func<CancellationToken, Task<T>> action, CancellationToken cancellationToken)
    {
        TimeSpan delay = FirstReopenDelay;
        while (true)
        {
            try
            {
                return await action(cancellationToken).ConfigureAwait(false);
            }
            catch (MeshException exception) when (exception.Error == MeshError.StoreUnavailable)
            {
                await Task.Delay(delay * (0.5 + (Random.Shared.NextDouble() / 2)), _time, cancellationToken).ConfigureAwait(false);
                delay = delay * 2 < MaxReopenDelay ? delay * 2 : MaxReopenDelay;
            }
        }
    }

    // After a batch: this process' own epoch is claimed, the rest goes the ordinary way.
    private void EndLateStart()
    {
        if (_openStore is null || _latePosition?.Epoch != _epoch)
            return;
        _openStore = null;
        Log.ClaimedLate(_logger, _store.Name, _epoch);
    }

    /// <summary>Appends events that may be of several epochs, each of which begins with its claim; returns the log's new end.</summary>
    private async Task<LogPosition> AppendRunsAsync(LogPosition position, IReadOnlyList<RecordedEvent> missing, CancellationToken cancellationToken)
    {
        ThrowUnlessFitting(position, missing);
        for (var start = 0; start < missing.Count;)
        {
            int end = start + 1;
            while (end < missing.Count && missing[end].Epoch == missing[start].Epoch)
                end++;
            if (missing[start].Epoch > position.Epoch)
                await _storeWriter.ClaimAsync(_node, missing[start++], cancellationToken).ConfigureAwait(false);
            if (start < end)
                await _storeWriter.AppendAsync(_node, [.. missing.Skip(start).Take(end - start)], cancellationToken).ConfigureAwait(false);
            position = LogPoint.Of(missing[end - 1]).Position;
            start = end;
        }
        return position;
    }

    private void ThrowUnlessFitting(LogPosition position, IReadOnlyList<RecordedEvent> missing)
    {
        int epoch = position.Epoch;
        foreach (RecordedEvent recorded in missing)
        {
            if (recorded.Data is NodeStarted)
                epoch++;
            if (recorded.Epoch != epoch)
            {
                throw new MeshException(
                    MeshError.EpochLost,
                    $"The spool '{_spool.Path}' holds events of epoch {recorded.Epoch} that the store '{_store.Name}' does not have, and the node's log there " +
                    $"is at epoch {position.Epoch}: another process took the log over, or the store or this directory was restored from a copy. The spool " +
                    "is kept; move it away to go on without its events.");
            }
        }
        if (missing[0].NodeSeq != position.NodeSeq + 1 || missing[^1].NodeSeq - missing[0].NodeSeq != missing.Count - 1)
        {
            throw new MeshException(
                MeshError.EpochLost,
                $"The spool '{_spool.Path}' goes on at event {missing[0].NodeSeq} and the node's log in the store '{_store.Name}' ends at {position.NodeSeq}: " +
                "the store or this directory was restored from a copy. The spool is kept; move it away to go on without its events.");
        }
    }
}
