using System.Diagnostics.CodeAnalysis;

namespace EventMesh.Plugins.Dispatch.Internal;

/// <summary>
/// What waits for one plugin, in the order of arrival, messages and notifications together, so that a peer's message does not overtake the
/// news that it joined. Both are bounded, and each only by its own kind: news does not make messages be refused.
/// </summary>
[SuppressMessage("Design", "CA1001", Justification = "A semaphore whose wait handle is never made holds nothing to dispose.")]
internal sealed class WorkQueue(int maxItems, long maxBytes)
{
    private readonly Lock _mutex = new();
    private readonly LinkedList<WorkItem> _items = [];

    // The nodes of _items that may be dropped, the oldest first.
    private readonly Queue<LinkedListNode<WorkItem>> _notifications = [];

    // One permit for each item, and one more for ever once the queue is closed and empty.
    private readonly SemaphoreSlim _available = new(0);
    private long _bytes;
    private bool _closed;

    /// <summary>How many items wait.</summary>
    public int Count
    {
        get
        {
            lock (_mutex)
                return _items.Count;
        }
    }

    /// <summary>Adds a message; false when there is no room for it.</summary>
    public bool TryEnqueue(WorkItem message)
    {
        lock (_mutex)
        {
            int messages = _items.Count - _notifications.Count;
            if (_closed || messages >= maxItems || (messages > 0 && _bytes + message.Bytes > maxBytes))
                return false;
            _items.AddLast(message);
            _bytes += message.Bytes;
        }

        _available.Release();
        return true;
    }

    /// <summary>Adds a notification; true when the oldest waiting one had to go for it, or when the queue is closed.</summary>
    public bool EnqueueOrDrop(WorkItem notification)
    {
        lock (_mutex)
        {
            if (_closed)
                return true;
            bool dropped = _notifications.Count >= maxItems;
            if (dropped)
                _items.Remove(_notifications.Dequeue());
            _notifications.Enqueue(_items.AddLast(notification));
            if (dropped)
                return true;
        }

        _available.Release();
        return false;
    }

    /// <summary>Takes the oldest item; null when the queue is closed and empty.</summary>
    public async ValueTask<WorkItem?> DequeueAsync()
    {
        await _available.WaitAsync().ConfigureAwait(false);
        lock (_mutex)
        {
            if (_items.First is not { } first)
            {
                _available.Release();
                return null;
            }

            _items.RemoveFirst();
            if (_notifications.TryPeek(out LinkedListNode<WorkItem>? oldest) && oldest == first)
                _notifications.Dequeue();
            else
                _bytes -= first.Value.Bytes;
            return first.Value;
        }
    }

    /// <summary>Takes nothing more; what waits may still be dequeued.</summary>
    public void Close()
    {
        lock (_mutex)
        {
            if (_closed)
                return;
            _closed = true;
        }

        _available.Release();
    }

    /// <summary>Takes nothing more and gives back what waits.</summary>
    public IReadOnlyList<WorkItem> CloseAndClear()
    {
        Close();
        lock (_mutex)
        {
            WorkItem[] waiting = [.. _items];
            _items.Clear();
            _notifications.Clear();
            _bytes = 0;
            return waiting;
        }
    }
}
