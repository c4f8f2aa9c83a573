using System.Runtime.ExceptionServices;
using EventMesh.Events;
using EventMesh.Journal.Internal;
using EventMesh.Projections;

namespace EventMesh.Journal;

// The one writer. All fields here are its own except where another access is noted.
public sealed partial class EventJournal
{
    // How often a batch that neither the store nor the spool took is offered to the spool again.
    private static readonly TimeSpan SpoolRetryDelay = TimeSpan.FromMilliseconds(250);

    private readonly StoreWriter _storeWriter;
    // Cancelled when the time for the store is over: at the end of a stop, or by dispose. It has no timer, so nothing to dispose.
    private readonly CancellationTokenSource _storeLimit = new();

    private Task _writer = Task.CompletedTask;
    private Operation? _operation;
    // Taken from the queue while an operation is under way, and announced to the store.
    private IReadOnlyList<RecordedEvent>? _next;
    private long _lastTaken;
    private (MeshState State, LogPoint End)? _snapshotToSave;
    private bool _isStoreClosed;
    private MeshException? _writerFailure;
    private long _spoolRefusedAt;

    // Read by the status.
    private volatile JournalState _writerState = JournalState.Live;
    private volatile bool _isSpoolRefusing;
    private int _inHand;
    private long _committed;

    // Called by the writer and the start at each step; for tests.
    internal Action<JournalStep>? OnStep { get; init; }

    // Set by dispose: what is in memory is dropped as a crash would.
    private volatile bool _isAborted;

    private JournalState WriterState => _writerState == JournalState.Draining && _storeWriter.IsAway ? JournalState.Spooling : _writerState;

    // Rows up to the committed place are only waiting to be deleted.
    private bool SpoolHolds => _spool.LastNodeSeq > _committed;

    private void StartWriting()
    {
        _lastTaken = _time.GetTimestamp();
        JournalMetrics.Observe(this);
        // The writer outlives the caller: its activities must not become children of the start's.
        using (ExecutionContext.SuppressFlow())
            _writer = Task.Run(WriteAsync, CancellationToken.None);
    }

    private async Task WriteAsync()
    {
        try
        {
            UpdateReplica([]);
            while (true)
            {
                IReadOnlyList<RecordedEvent> batch = await NextBatchAsync().ConfigureAwait(false);
                if (batch.Count == 0)
                    break;
                OnStep?.Invoke(JournalStep.Taken);
                await PlaceAsync(batch).ConfigureAwait(false);
            }
            await DrainAsync().ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (_isAborted)
        {
        }
        catch (MeshException exception)
        {
            _writerFailure = exception;
        }
        catch (Exception exception)
        {
            _writerFailure = new MeshException(MeshError.Unknown, $"The journal's writer failed: {exception.Message}", exception);
        }

        await EndOperationAsync().ConfigureAwait(false);
        if (_writerFailure is not null)
            Fail(_writerFailure);
        _durable.Fail(_writerFailure ?? NodeStopped());
    }

    // An event that comes alone is not kept waiting; those that come one after another are gathered, so that there are no more appends than one a delay.
    private async Task<IReadOnlyList<RecordedEvent>> NextBatchAsync()
    {
        if (_next is { } next)
        {
            _next = null;
            return next;
        }
        while (true)
        {
            Advance();
            Task ready = _queue.WhenReadyAsync(1);
            if (ready.IsCompleted)
                break;
            await (_operation is null ? ready : Task.WhenAny(_operation.Task, ready)).ConfigureAwait(false);
            ThrowIfAborted();
        }
        await WaitAsync(_queue.WhenReadyAsync(_options.BatchSize), _options.BatchDelay - _time.GetElapsedTime(_lastTaken)).ConfigureAwait(false);
        ThrowIfAborted();
        _lastTaken = _time.GetTimestamp();
        return _queue.Take(_options.BatchSize);
    }

    // Returns when the batch is durable.
    private async Task PlaceAsync(IReadOnlyList<RecordedEvent> batch)
    {
        Volatile.Write(ref _inHand, batch.Count);
        while (true)
        {
            ThrowIfAborted();
            Advance();
            if (_committed >= batch[^1].NodeSeq)
                break;
            if (_operation is null && !_isStoreClosed)
                Start(batch);
            if (_operation is not null)
            {
                PrepareNext(batch);
                // Waiting helps only while everything older is under way: behind a backlog this batch would never go straight.
                if (_spool.LastNodeSeq <= _operation.Batch[^1].NodeSeq && !_storeWriter.IsAway && _openStore is null)
                    await WaitAsync(_operation.Task, StoreTime(batch)).ConfigureAwait(false);
                if (_operation.Task.IsCompleted)
                    continue;
            }
            ThrowIfAborted();
            if (TrySpool(batch))
                break;
            if (_operation is null)
            {
                throw new MeshException(
                    MeshError.StoreUnavailable, $"The journal stopped while neither the store '{_store.Name}' nor the spool '{_spool.Path}' took events.");
            }
            await WaitAsync(_operation.Task, SpoolRetryDelay).ConfigureAwait(false);
        }
        Volatile.Write(ref _inHand, _next?.Count ?? 0);
    }

    // How long the store has for a batch. What waited behind another batch has waited already; a clock that was set back gives no more than to a new one.
    private TimeSpan StoreTime(IReadOnlyList<RecordedEvent> batch)
    {
        TimeSpan left = batch[0].Time + _options.BatchDelay + _options.SpoolAfter - _time.GetUtcNow();
        return left < _options.SpoolAfter ? left : _options.SpoolAfter;
    }

    // Only a full batch: a smaller one would keep what comes meanwhile out of it.
    private void PrepareNext(IReadOnlyList<RecordedEvent> batch)
    {
        if (_next is not null || !ReferenceEquals(_operation?.Batch, batch) || _openStore is not null)
            return;
        if (_queue.Take(_options.BatchSize, least: _options.BatchSize) is not { Count: > 0 } next)
            return;
        _next = next;
        Volatile.Write(ref _inHand, batch.Count + next.Count);
        _store.Prepare(_node, next);
    }

    // Brings the spool to the store until it is empty or the time for the store is over.
    private async Task DrainAsync()
    {
        while (true)
        {
            ThrowIfAborted();
            Advance();
            if (_operation is null)
                return;
            await Task.WhenAny(_operation.Task).ConfigureAwait(false);
        }
    }

    // Settles the operation with the store if it has ended, and begins the next if the spool holds events.
    private void Advance()
    {
        if (_operation is { Task.IsCompleted: true } ended)
        {
            _operation = null;
            if (ended.Task.IsCanceled)
                _isStoreClosed = true;
            else if (ended.Task.Exception is { } exception)
                ExceptionDispatchInfo.Throw(exception.InnerException!);
            else
            {
                // The store is not kept waiting for what is done here with the last batch.
                if (_next is { } next && next[0].NodeSeq == ended.Batch[^1].NodeSeq + 1)
                    Start(next);
                Committed(ended.Batch);
            }
        }
        if (_operation is null && !_isStoreClosed && SpoolHolds)
            Start(_spool.Read(_committed, _options.BatchSize));
    }

    private void Start(IReadOnlyList<RecordedEvent> batch)
    {
        _operation = new Operation(
            _openStore is null ? _storeWriter.AppendAsync(_node, batch, _storeLimit.Token) : AppendLateAsync(batch, _storeLimit.Token), batch);
        OnStep?.Invoke(JournalStep.AppendStarted);
    }

    private void Committed(IReadOnlyList<RecordedEvent> batch)
    {
        OnStep?.Invoke(JournalStep.Acknowledged);
        EndLateStart();
        UpdateReplica(batch);
        OnStep?.Invoke(JournalStep.Copied);
        long nodeSeq = batch[^1].NodeSeq;
        Volatile.Write(ref _committed, nodeSeq);
        _durable.Advance(nodeSeq);
        OnStep?.Invoke(JournalStep.Told);
        if (_spool.Count > 0)
        {
            try
            {
                _spool.DeleteThrough(nodeSeq);
                Volatile.Write(ref _spoolBytes, _spool.MeasureBytes());
            }
            catch (MeshException exception)
            {
                // The rows stay until the next deletion, or the next start finds them in the store.
                SpoolRefuses(exception);
            }
            OnStep?.Invoke(JournalStep.Deleted);
        }
        EndSummarisingIfFree();
        _writerState = SpoolHolds ? JournalState.Draining : JournalState.Live;
        if (_writerState == JournalState.Live)
            ReportLive();
    }

    private void UpdateReplica(IReadOnlyList<RecordedEvent> committed)
    {
        if (committed.Count > 0)
            _replica.Append(committed);
        if (_snapshotToSave is null && _replica.WantsSnapshot)
        {
            lock (_mutex)
                _snapshotToSave = (_state, new LogPoint(_lastId, new LogPosition(_epoch, _lastNodeSeq, _lastTime)));
        }
        // Only what the store has: an event that is lost with this process must not live on in the copy.
        long last = committed.Count > 0 ? committed[^1].NodeSeq : _committed;
        if (_snapshotToSave is not { } snapshot || snapshot.End.Position.NodeSeq > last)
            return;
        _replica.Save(snapshot.State, snapshot.End);
        _snapshotToSave = null;
    }

    private bool TrySpool(IReadOnlyList<RecordedEvent> batch)
    {
        try
        {
            long bytes = _spool.MeasureBytes();
            Volatile.Write(ref _spoolBytes, bytes);
            if (bytes >= _options.SpoolLimit)
                BeginSummarising();
            if (bytes >= SpoolEnd)
            {
                SpoolRefuses(null);
                return false;
            }
            _spool.Append(batch);
        }
        catch (MeshException exception)
        {
            SpoolRefuses(exception);
            return false;
        }
        _isSpoolRefusing = false;
        if (_writerState == JournalState.Live || _storeWriter.IsAway)
            _writerState = JournalState.Spooling;
        // A disk that is full now and free in a moment is not worth two ways.
        if (_isSummarising && _time.GetElapsedTime(_spoolRefusedAt) >= SummaryInterval)
            EndSummarisingIfFree();
        OnStep?.Invoke(JournalStep.Spooled);
        _durable.Advance(batch[^1].NodeSeq);
        OnStep?.Invoke(JournalStep.SpooledTold);
        JournalMetrics.Spooled(batch.Count);
        ReportSpooled(batch.Count);
        return true;
    }

    private void SpoolRefuses(MeshException? exception)
    {
        _spoolRefusedAt = _time.GetTimestamp();
        // Neither way is open: what comes now stays in memory, where a storm of connections must not take the room of what can't be counted.
        if (_storeWriter.IsAway)
        {
            _writerState = JournalState.Spooling;
            ReportSpooled(0);
            BeginSummarising();
        }
        if (_isSpoolRefusing)
            return;
        _isSpoolRefusing = true;
        Log.SpoolFailed(_logger, _spool.Path, exception);
    }

    private async Task EndOperationAsync()
    {
        if (_operation is null)
            return;
        await _storeLimit.CancelAsync().ConfigureAwait(false);
        await _operation.Task.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        _operation = null;
    }

    private async Task WaitAsync(Task task, TimeSpan limit)
    {
        if (task.IsCompleted || limit <= TimeSpan.Zero)
            return;
        using var cancellation = new CancellationTokenSource();
        await Task.WhenAny(task, Task.Delay(limit, _time, cancellation.Token)).ConfigureAwait(false);
        await cancellation.CancelAsync().ConfigureAwait(false);
    }

    private void ThrowIfAborted()
    {
        if (_isAborted)
            throw new OperationCanceledException();
    }

    private sealed record Operation(Task Task, IReadOnlyList<RecordedEvent> Batch);
}
