using EventMesh.Events;

namespace EventMesh.Journal.Internal;

/// <summary>The events between recorders and the one writer. Recorders are serialised by the journal; there is one reader.</summary>
internal sealed class JournalQueue(int capacity)
{
    private readonly Lock _mutex = new();
    private readonly Queue<RecordedEvent> _events = new();
    private TaskCompletionSource? _ready;
    private int _readyAt;
    private bool _isCompleted;

    public int Count
    {
        get
        {
            lock (_mutex)
                return _events.Count;
        }
    }

    /// <summary>Whether so many fit. Recorders are serialised, so that room seen stays until they add.</summary>
    public bool HasRoom(int count)
    {
        lock (_mutex)
            return _events.Count + count <= capacity;
    }

    public void Add(RecordedEvent recorded)
    {
        TaskCompletionSource? ready = null;
        lock (_mutex)
        {
            _events.Enqueue(recorded);
            if (_ready is not null && _events.Count >= _readyAt)
            {
                ready = _ready;
                _ready = null;
            }
        }
        ready?.SetResult();
    }

    /// <summary>No more events come; what is queued can still be taken.</summary>
    public void Complete()
    {
        TaskCompletionSource? ready;
        lock (_mutex)
        {
            _isCompleted = true;
            ready = _ready;
            _ready = null;
        }
        ready?.SetResult();
    }

    /// <summary>Completes when so many events are queued, or no more come. The reader's last call counts; earlier tasks may never complete.</summary>
    public Task WhenReadyAsync(int count)
    {
        lock (_mutex)
        {
            if (_isCompleted || _events.Count >= count)
                return Task.CompletedTask;
            if (_ready is null || _readyAt != count)
            {
                _ready = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
                _readyAt = count;
            }
            return _ready.Task;
        }
    }

    /// <summary>Takes up to so many events; none at all when there are fewer than <paramref name="least"/>.</summary>
    public IReadOnlyList<RecordedEvent> Take(int limit, int least = 0)
    {
        lock (_mutex)
        {
            if (_events.Count < least)
                return [];
            var taken = new RecordedEvent[Math.Min(limit, _events.Count)];
            for (var i = 0; i < taken.Length; i++)
                taken[i] = _events.Dequeue();
            return taken;
        }
    }
}
