using System.Diagnostics.CodeAnalysis;
using EventMesh.Messaging;
using EventMesh.Wire;

namespace EventMesh.Sessions.Internal;

/// <summary>
/// The small messages that wait for one peer, bounded in number and bytes. A full queue makes senders wait, or fails them at once when they
/// asked so. Of 13 messages that leave, and of 13 waiting senders that come in, 8 are of high, 4 of normal and 1 of low priority, as far as
/// there are such; within a class the order is that of the sends.
/// </summary>
internal sealed class SendQueue(int maxMessages, int maxBytes)
{
    private static readonly int[] Weights = [8, 4, 1];

    private readonly Lock _mutex = new();
    private readonly PriorityClass[] _classes = [new(), new(), new()];
    private readonly SemaphoreSlim _available = new(0, 1);
    private int _count;
    private int _waitingCount;
    private long _bytes;
    private bool _isClosed;

    /// <summary>Queues a message; false when the queue is full and the sender does not wait, or when it is closed.</summary>
    public ValueTask<bool> EnqueueAsync(OutboundMessage message, CancellationToken cancellationToken)
    {
        LinkedListNode<WaitingSender> node;
        lock (_mutex)
        {
            if (_isClosed) return new(false);
            if (_waitingCount == 0 && Fits(message))
            {
                Add(message);
                return new(true);
            }
            if (message.FailWhenFull) return new(false);
            node = ClassOf(message).Senders.AddLast(new WaitingSender(message));
            _waitingCount++;
        }
        return WaitAsync(node, cancellationToken);
    }

    /// <summary>Waits until there is a message, or when it should rather wait for others, a whole batch; false when the queue is closed.</summary>
    /// <param name="shouldGather">Whether less than a batch should wait; asked again after <see cref="LookAgain"/>. Null for never.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    public async ValueTask<bool> WaitAsync(Func<bool>? shouldGather, CancellationToken cancellationToken)
    {
        while (true)
        {
            lock (_mutex)
            {
                if (_isClosed) return false;
                if (_bytes >= WireLimits.Batch || (_count > 0 && shouldGather?.Invoke() != true)) return true;
            }
            await _available.WaitAsync(cancellationToken).ConfigureAwait(false);
        }
    }

    /// <summary>Has the one who waits ask again whether it should.</summary>
    public void LookAgain()
    {
        lock (_mutex) Signal();
    }

    /// <summary>Takes the message whose turn it is if its payload fits into <paramref name="room"/> bytes.</summary>
    public bool TryDequeue(int room, [NotNullWhen(true)] out OutboundMessage? message)
    {
        lock (_mutex)
        {
            message = null;
            if (_count == 0) return false;
            PriorityClass next = Next(static one => one.Messages.Count > 0, static one => ref one.Turns);
            if (next.Messages.Peek().Payload.Length > room) return false;
            message = next.Messages.Dequeue();
            next.Turns--;
            _count--;
            _bytes -= message.Payload.Length;
            LetIn();
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
            left = [.. _classes.SelectMany(one => one.Messages)];
            foreach (PriorityClass one in _classes)
            {
                one.Messages.Clear();
                foreach (WaitingSender sender in one.Senders) sender.TrySetResult(false);
                one.Senders.Clear();
            }
            _count = _waitingCount = 0;
            Signal();
        }
        return left;
    }

    private async ValueTask<bool> WaitAsync(LinkedListNode<WaitingSender> node, CancellationToken cancellationToken)
    {
        using CancellationTokenRegistration registration = cancellationToken.UnsafeRegister(static (state, token) =>
        {
            var (queue, node) = ((SendQueue, LinkedListNode<WaitingSender>))state!;
            lock (queue._mutex)
            {
                if (node.List is not null)
                {
                    node.List.Remove(node);
                    queue._waitingCount--;
                    // It may have been what the others waited behind.
                    queue.LetIn();
                }
            }
            node.Value.TrySetCanceled(token);
        }, (this, node));
        return await node.Value.Task.ConfigureAwait(false);
    }

    private void LetIn()
    {
        while (_waitingCount > 0)
        {
            PriorityClass next = Next(static one => one.Senders.Count > 0, static one => ref one.SenderTurns);
            WaitingSender sender = next.Senders.First!.Value;
            if (!Fits(sender.Message)) return;
            next.Senders.RemoveFirst();
            next.SenderTurns--;
            _waitingCount--;
            if (sender.TrySetResult(true)) Add(sender.Message);
        }
    }

    /// <summary>The class whose turn it is among those that have something; there is one.</summary>
    private PriorityClass Next(Func<PriorityClass, bool> hasSomething, TurnsOf turns)
    {
        while (true)
        {
            foreach (PriorityClass one in _classes)
            {
                if (turns(one) > 0 && hasSomething(one)) return one;
            }
            for (int i = 0; i < _classes.Length; i++) turns(_classes[i]) = Weights[i];
        }
    }

    // A single message larger than the limit may wait alone, or it could never be sent.
    private bool Fits(OutboundMessage message) => _count < maxMessages && (_count == 0 || _bytes + message.Payload.Length <= maxBytes);

    private void Add(OutboundMessage message)
    {
        ClassOf(message).Messages.Enqueue(message);
        _count++;
        long before = _bytes;
        _bytes += message.Payload.Length;
        // The first one, and the one that makes a batch: for the others nobody has to be woken.
        if (_count == 1 || (before < WireLimits.Batch && _bytes >= WireLimits.Batch)) Signal();
    }

    private PriorityClass ClassOf(OutboundMessage message) => _classes[message.Priority switch
    {
        MessagePriority.High => 0,
        MessagePriority.Low => 2,
        _ => 1,
    }];

    private void Signal()
    {
        if (_available.CurrentCount == 0) _available.Release();
    }

    private delegate ref int TurnsOf(PriorityClass one);

    private sealed class PriorityClass
    {
        public readonly Queue<OutboundMessage> Messages = [];
        public readonly LinkedList<WaitingSender> Senders = [];

        // What is left of this round, for the messages that leave and for the senders that come in.
        public int Turns;
        public int SenderTurns;
    }

    private sealed class WaitingSender(OutboundMessage message) : TaskCompletionSource<bool>(TaskCreationOptions.RunContinuationsAsynchronously)
    {
        public OutboundMessage Message => message;
    }
}
