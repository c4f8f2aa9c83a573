using System.Diagnostics.CodeAnalysis;

namespace EventMesh.Sessions.Internal;

/// <summary>
/// The small messages that wait for one peer, bounded in number and bytes. A full queue makes senders wait in the order in which they came,
/// or fails them at once when they asked so.
/// </summary>
internal sealed class SendQueue(int maxMessages, int maxBytes)
{
    private readonly Lock _mutex = new();
    private readonly Queue<OutboundMessage> _messages = [];
    private readonly LinkedList<(OutboundMessage Message, TaskCompletionSource<bool> Queued)> _waiting = [];
    private readonly SemaphoreSlim _available = new(0, 1);
    private long _bytes;
    private bool _isClosed;

    /// <summary>Queues a message; false when the queue is full and the sender does not wait, or when it is closed.</summary>
    public async ValueTask<bool> EnqueueAsync(OutboundMessage message, bool failWhenFull, CancellationToken cancellationToken)
    {
        LinkedListNode<(OutboundMessage, TaskCompletionSource<bool> Queued)> node;
        lock (_mutex)
        {
            if (_isClosed) return false;
            if (_waiting.Count == 0 && Fits(message))
            {
                Add(message);
                return true;
            }
            if (failWhenFull) return false;
            node = _waiting.AddLast((message, new TaskCompletionSource<bool>(TaskCreationOptions.RunContinuationsAsynchronously)));
        }
        using CancellationTokenRegistration registration = cancellationToken.UnsafeRegister(static (state, token) =>
        {
            var (queue, node) = ((SendQueue, LinkedListNode<(OutboundMessage, TaskCompletionSource<bool> Queued)>))state!;
            lock (queue._mutex)
            {
                if (node.List is not null) queue._waiting.Remove(node);
            }
            node.Value.Queued.TrySetCanceled(token);
        }, (this, node));
        return await node.Value.Queued.Task.ConfigureAwait(false);
    }

    /// <summary>Waits until there is a message; false when the queue is closed.</summary>
    public async ValueTask<bool> WaitAsync(CancellationToken cancellationToken)
    {
        while (true)
        {
            lock (_mutex)
            {
                if (_isClosed) return false;
                if (_messages.Count > 0) return true;
            }
            await _available.WaitAsync(cancellationToken).ConfigureAwait(false);
        }
    }

    /// <summary>Takes the next message if its payload fits into <paramref name="room"/> bytes.</summary>
    public bool TryDequeue(int room, [NotNullWhen(true)] out OutboundMessage? message)
    {
        lock (_mutex)
        {
            if (!_messages.TryPeek(out message) || message.Payload.Length > room) return false;
            _messages.Dequeue();
            _bytes -= message.Payload.Length;
            while (_waiting.First is { } next && Fits(next.Value.Message))
            {
                _waiting.RemoveFirst();
                if (next.Value.Queued.TrySetResult(true)) Add(next.Value.Message);
            }
            return true;
        }
    }

    /// <summary>Closes the queue and returns what waited in it.</summary>
    public IReadOnlyList<OutboundMessage> Close()
    {
        List<OutboundMessage> left;
        lock (_mutex)
        {
            _isClosed = true;
            left = [.. _messages];
            _messages.Clear();
            foreach ((_, TaskCompletionSource<bool> queued) in _waiting) queued.TrySetResult(false);
            _waiting.Clear();
            Signal();
        }
        return left;
    }

    // A single message larger than the limit may wait alone, or it could never be sent.
    private bool Fits(OutboundMessage message) =>
        _messages.Count < maxMessages && (_messages.Count == 0 || _bytes + message.Payload.Length <= maxBytes);

    private void Add(OutboundMessage message)
    {
        _messages.Enqueue(message);
        _bytes += message.Payload.Length;
        Signal();
    }

    private void Signal()
    {
        if (_available.CurrentCount == 0) _available.Release();
    }
}
