using EventMesh.Events;
using EventMesh.Identity;
using EventMesh.Journal.Internal;
using EventMesh.Projections;

namespace EventMesh.Journal;

public sealed partial class EventJournal
{
    // A claim or a drained batch that the store does not acknowledge for so long fails the start: a supervisor restarts the node. Reading the
    // log takes as long as it takes.
    private static readonly TimeSpan OpenTimeout = TimeSpan.FromSeconds(30);

    private static readonly HashSet<StreamFamily> WithoutMonths = [StreamFamily.Node, StreamFamily.Trust, StreamFamily.Plugins, StreamFamily.Topics];

    private bool _isPrepared;
    private (MeshState State, LogPoint End)? _loaded;

    /// <summary>
    /// Opens the journal's own files and reads the local replica, which is most of what a start computes and needs no store: it can be done while the store opens. Opening the journal
    /// does it where nobody did before.
    /// </summary>
    /// <exception cref="MeshException">What <see cref="EventSpool.Open"/> fails with; the journal can then only be disposed.</exception>
    internal void Prepare(NodeId node, string dataDirectory)
    {
        OpenFiles(node, dataDirectory);
        _loaded = _replica.Load();
        _isPrepared = true;
    }

    /// <summary>
    /// Opens the journal: brings what the spool holds of earlier processes to the store, folds the state, takes the log over with
    /// <see cref="NodeStarted"/>, and closes in the log what a crash left open. Nobody else can record before that.
    /// </summary>
    /// <param name="node">The log's tenant.</param>
    /// <param name="dataDirectory">Where the spool is, <see cref="EventSpool.FileName"/>.</param>
    /// <param name="started">Makes the event that takes the log over, from the folded state. Pure.</param>
    /// <param name="cancellationToken">Ends the attempt; the journal can then only be disposed.</param>
    /// <remarks>
    /// The task fails with <see cref="MeshException"/>: <see cref="MeshError.StoreUnavailable"/>; <see cref="MeshError.EpochLost"/> when another
    /// process took the log over, also when the spool holds events that no longer fit the log (the spool is kept); and what
    /// <see cref="EventSpool.Open"/> fails with.
    /// </remarks>
    public async Task OpenAsync(NodeId node, string dataDirectory, Func<MeshState, NodeStarted> started, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(started);
        (MeshState, LogPoint)? replica = TakeLoaded(node, dataDirectory);
        var isOpen = false;
        try
        {
            await DrainLeftoversAsync(cancellationToken).ConfigureAwait(false);
            while (!await TryTakeOverAsync(started, replica, cancellationToken).ConfigureAwait(false))
            {
            }
            isOpen = true;
        }
        finally
        {
            if (!isOpen)
                CloseFiles();
        }
        StartWriting();
    }

    private (MeshState State, LogPoint End)? TakeLoaded(NodeId node, string dataDirectory)
    {
        if (!_isPrepared)
            Prepare(node, dataDirectory);
        (MeshState State, LogPoint End)? loaded = _loaded;
        // Once: the state grows away from it.
        (_isPrepared, _loaded) = (false, null);
        return loaded;
    }

    private void OpenFiles(NodeId node, string dataDirectory)
    {
        lock (_mutex)
        {
            if (_phase != Phase.Created)
                throw new InvalidOperationException("A journal is opened once.");
            _phase = Phase.Opening;
        }
        _node = node;
        bool forgets = LocalErasure.ForgetReplica(dataDirectory);
        _spool.Open(node, dataDirectory);
        // What an earlier process has left in it goes to the store first; the mark stays until then.
        if (forgets && _spool.Count == 0)
        {
            _spool.Dispose();
            LocalErasure.ForgetSpool(dataDirectory);
            _spool.Open(node, dataDirectory);
        }
        _replica.Open(node, dataDirectory);
    }

    private void CloseFiles()
    {
        _spool.Dispose();
        _replica.Dispose();
    }

    private async Task DrainLeftoversAsync(CancellationToken cancellationToken)
    {
        if (_spool.Count == 0)
            return;
        LogPosition position = await _store.GetPositionAsync(_node, cancellationToken).ConfigureAwait(false);
        long place = 0;
        long drained = 0;
        while (true)
        {
            IReadOnlyList<RecordedEvent> batch = _spool.Read(place, _options.BatchSize);
            if (batch.Count == 0)
                break;
            // What the process that spooled them knew of the store is lost with it: any of these may have been committed.
            IReadOnlyList<RecordedEvent> missing = await _storeWriter.FindMissingAsync(_node, batch, cancellationToken).ConfigureAwait(false);
            if (missing.Count > 0)
            {
                // A late commit may have moved the log's end since we asked for it: what the store was found to have counts.
                long end = Math.Max(position.NodeSeq, missing[0].NodeSeq > batch[0].NodeSeq ? missing[0].NodeSeq - 1 : 0);
                position = position with { NodeSeq = end };
                if (FindHidden(position, missing) is > 0 and var hidden)
                {
                    Log.SpoolMoved(_logger, hidden);
                    _spool.Move(missing[0].NodeSeq, hidden);
                    OnStep?.Invoke(JournalStep.LeftoverMoved);
                    continue;
                }
                position = await LimitAsync(token => AppendRunsAsync(position, missing, token), cancellationToken).ConfigureAwait(false);
                drained += missing.Count;
            }
            OnStep?.Invoke(JournalStep.LeftoverAppended);
            place = batch[^1].NodeSeq;
            position = position with { NodeSeq = Math.Max(position.NodeSeq, place) };
            _spool.DeleteThrough(place);
            OnStep?.Invoke(JournalStep.LeftoverDeleted);
        }
        Log.Drained(_logger, drained);
    }

    private async Task<MeshState> FoldAsync(LogPosition position, (MeshState State, LogPoint End)? replica, CancellationToken cancellationToken)
    {
        (MeshState state, LogPoint end) = (MeshState.Empty, default);
        // An id is in one log only: the store that has it has everything before it.
        if (replica is { } copy && copy.End.Position.NodeSeq <= position.NodeSeq
            && (await _store.FindAsync(_node, [copy.End.Event], cancellationToken).ConfigureAwait(false)).Count == 1)
        {
            (state, end) = copy;
        }
        else if (replica is { } ahead && ahead.End.Position.NodeSeq > position.NodeSeq)
        {
            // The copy has only what the store had acknowledged.
            long known = ahead.End.Position.NodeSeq;
            Log.StoreLostTail(_logger, _store.Name, position.NodeSeq, known, known - position.NodeSeq);
        }
        if (end.Position.NodeSeq == 0 && await _store.FindMonthAsync(_node, cancellationToken).ConfigureAwait(false) is { } month)
            return await FoldMonthAsync(month, cancellationToken).ConfigureAwait(false);
        (state, long read) = await FoldAsync(state, end.Position.NodeSeq, cancellationToken).ConfigureAwait(false);
        Log.Folded(_logger, read, end.Position.NodeSeq);
        return state;
    }

    private async Task<(MeshState State, long Read)> FoldAsync(MeshState state, long after, CancellationToken cancellationToken)
    {
        long read = 0;
        await foreach (RecordedEvent recorded in _store.ReadAsync(_node, after, families: null, cancellationToken).ConfigureAwait(false))
        {
            state = MeshState.Apply(state, recorded);
            read++;
        }
        return (state, read);
    }

    // A month opens with all that the monthly streams have made of the state, and no fold of theirs looks at another stream's events: of what is before only the others count.
    private async Task<MeshState> FoldMonthAsync(long month, CancellationToken cancellationToken)
    {
        MeshState state = MeshState.Empty;
        long before = 0;
        await foreach (RecordedEvent recorded in _store.ReadAsync(_node, 0, WithoutMonths, cancellationToken).ConfigureAwait(false))
        {
            if (recorded.NodeSeq >= month)
                break;
            state = MeshState.Apply(state, recorded);
            before++;
        }
        (state, long read) = await FoldAsync(state, month - 1, cancellationToken).ConfigureAwait(false);
        Log.FoldedMonth(_logger, before + read, month);
        return state;
    }

    // False when the log grew meanwhile: the last append of a process that was killed can still be committed by the database.
    private async Task<bool> TryTakeOverAsync(
        Func<MeshState, NodeStarted> started, (MeshState, LogPoint)? replica, CancellationToken cancellationToken)
    {
        LogPosition position = await _store.GetPositionAsync(_node, cancellationToken).ConfigureAwait(false);
        MeshState state = await FoldAsync(position, replica, cancellationToken).ConfigureAwait(false);
        RecordedEvent first = PlaceStart(position, started(state));
        OnStep?.Invoke(JournalStep.Folded);
        try
        {
            await LimitAsync(token => AppendRunsAsync(position, [first], token), cancellationToken).ConfigureAwait(false);
        }
        catch (MeshException exception) when (exception.Error == MeshError.ConcurrencyConflict)
        {
            return false;
        }
        OnStep?.Invoke(JournalStep.Claimed);
        Begin(first, MeshState.Apply(state, first), committed: first.NodeSeq);
        return true;
    }

    private RecordedEvent PlaceStart(LogPosition position, NodeStarted started)
    {
        DateTimeOffset time = EventTime.Next(position.Time, _time.GetUtcNow());
        return new RecordedEvent(EventIdentifier.New(time), position.Epoch + 1, position.NodeSeq + 1, time, started, TraceParent());
    }

    // The first event is durable: from here on events are recorded.
    private void Begin(RecordedEvent first, MeshState state, long committed)
    {
        lock (_mutex)
        {
            Volatile.Write(ref _epoch, first.Epoch);
            _lastNodeSeq = first.NodeSeq;
            _lastTime = first.Time;
            _lastId = first.Id;
            Volatile.Write(ref _state, state);
            Volatile.Write(ref _committed, committed);
            _durable.Advance(first.NodeSeq);
            _snapshotToSave = (state, LogPoint.Of(first));
            _phase = Phase.Open;
            // In the same unit: nobody else records before it.
            int closed = DecideLocked(CloseAfterCrash).Length;
            Log.Opened(_logger, first.Epoch, first.NodeSeq, closed);
        }
        JournalMetrics.Recorded(EventRegistry.Default.Get(typeof(NodeStarted)));
    }

    private async Task<T> LimitAsync<T>(Func<CancellationToken, Task<T>> append, CancellationToken cancellationToken)
    {
        using var limit = new CancellationTokenSource(OpenTimeout, _time);
        using var linked = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, limit.Token);
        try
        {
            return await append(linked.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException exception) when (limit.IsCancellationRequested && !cancellationToken.IsCancellationRequested)
        {
            throw new MeshException(
                MeshError.StoreUnavailable, $"The store '{_store.Name}' did not take the node's start within {OpenTimeout.TotalSeconds} s.", exception);
        }
    }

    private IEnumerable<IMeshEvent> CloseAfterCrash(MeshState state)
    {
        DateTimeOffset now = _time.GetUtcNow();
        foreach (OpenConnection open in state.Connections.Open.Values.OrderBy(open => open.OpenedAt))
        {
            TimeSpan duration = now > open.OpenedAt ? now - open.OpenedAt : TimeSpan.Zero;
            yield return new ConnectionClosed(open.Connection, open.Peer, CloseReason.Crash, 0, 0, 0, 0, duration);
        }
        foreach (JoinedPeer peer in state.Peers.Joined.Values.OrderBy(peer => peer.JoinedAt))
            yield return new PeerLeft(peer.Peer, CloseReason.Crash);
    }
}
