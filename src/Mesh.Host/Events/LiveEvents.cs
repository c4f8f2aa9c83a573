using EventMesh.Journal;

namespace EventMesh.Host.Events;

/// <summary>
/// The journal's live events from the moment this is made, and not only from the first read on. Unlike the enumerator below it may be disposed
/// while a read is under way.
/// </summary>
internal sealed class LiveEvents : IAsyncDisposable
{
    private readonly CancellationTokenSource _disposed;
    private readonly IAsyncEnumerator<RecordedEvent> _events;
    private Task<bool> _next;

    public LiveEvents(IEventJournal journal, CancellationToken cancellationToken)
    {
        _disposed = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        _events = journal.FollowAsync(_disposed.Token).GetAsyncEnumerator(_disposed.Token);
        _next = _events.MoveNextAsync().AsTask();
    }

    /// <summary>The event that the last move reached.</summary>
    public RecordedEvent Current { get; private set; } = null!;

    /// <summary>Whether the events ended because this reader was too slow.</summary>
    public bool FellBehind { get; private set; }

    /// <summary>Whether the next event has come and leaves no gap after a place.</summary>
    public bool Continues(long last) => _next.IsCompletedSuccessfully && _events.Current?.NodeSeq <= last + 1;

    /// <summary>Waits for the next event; false at the end.</summary>
    public async Task<bool> MoveNextAsync()
    {
        try
        {
            if (!await _next) return false;
        }
        catch (MeshException e) when (e.Error == MeshError.QueueFull)
        {
            FellBehind = true;
            return false;
        }
        Current = _events.Current;
        _next = _events.MoveNextAsync().AsTask();
        return true;
    }

    public async ValueTask DisposeAsync()
    {
        await _disposed.CancelAsync();
        // An enumerator must not be disposed while it moves.
        await ((Task)_next).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        await _events.DisposeAsync();
        _disposed.Dispose();
    }
}
