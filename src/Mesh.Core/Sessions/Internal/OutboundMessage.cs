using EventMesh.Messaging;
using EventMesh.Wire;
using EventMesh.Wire.Frames;

namespace EventMesh.Sessions.Internal;

/// <summary>A message on its way out.</summary>
internal sealed class OutboundMessage(MessageId id, MessageHeader header, OutgoingMessage message)
    : TaskCompletionSource<SendReceipt>(TaskCreationOptions.RunContinuationsAsynchronously)
{
    private const int Waiting = 0;
    private const int Left = 1;
    private const int TakenBack = 2;

    private static readonly Action Over = static () => { };

    private Action? _onEnd;
    private int _state;

    public MessageId Id => id;

    public MessageHeader Header => header;

    public ReadOnlyMemory<byte> Payload => message.Payload;

    public Stream? Content => message.Content;

    public long Length => Content is null ? Payload.Length : message.ContentLength;

    public MessagePriority Priority => message.Priority;

    public bool IsOrdered => message.IsOrdered;

    public string Channel => message.Channel;

    public bool FailWhenFull => message.FailWhenQueueFull;

    /// <summary>Whether it has a stream of its own.</summary>
    public bool IsLarge => Content is not null || Payload.Length > WireLimits.LargeMessage;

    /// <summary>The clock's timestamp at which the sender loses its interest; null for never.</summary>
    public long? Expires { get; init; }

    /// <summary>Whether its end is decided; its task may complete a moment later.</summary>
    public bool HasEnded => ReferenceEquals(Volatile.Read(ref _onEnd), Over);

    /// <summary>
    /// The last look before it leaves: false when its sender has taken it back meanwhile, or its deadline has passed, with which it then ends.
    /// </summary>
    public bool TryLeave(TimeProvider clock)
    {
        if (Expires is { } expires)
        {
            TimeSpan remaining = clock.GetElapsedTime(clock.GetTimestamp(), expires);
            if (remaining <= TimeSpan.Zero)
            {
                if (TryTakeBack()) Complete(SendOutcome.NotSent, MeshError.DeadlineExceeded);
                return false;
            }
            header.RemainingMs = (ulong)Math.Ceiling(remaining.TotalMilliseconds);
        }
        return Interlocked.CompareExchange(ref _state, Left, Waiting) == Waiting;
    }

    /// <summary>Takes it back; false when it has left already.</summary>
    public bool TryTakeBack() => Interlocked.CompareExchange(ref _state, TakenBack, Waiting) == Waiting;

    /// <summary>Has something done when the message ends, before its sender hears of it; at once when it has ended.</summary>
    public void OnEnd(Action action)
    {
        while (true)
        {
            Action? before = Volatile.Read(ref _onEnd);
            if (ReferenceEquals(before, Over))
            {
                action();
                return;
            }
            if (ReferenceEquals(Interlocked.CompareExchange(ref _onEnd, before + action, before), before)) return;
        }
    }

    public void Complete(SendOutcome outcome, MeshError? error = null)
    {
        if (End()) SetResult(new SendReceipt(id, outcome, error, message.Token));
    }

    public void Cancel(CancellationToken cancellationToken)
    {
        TryTakeBack();
        if (End()) SetCanceled(cancellationToken);
    }

    public void Fail(Exception exception)
    {
        if (End()) SetException(exception);
    }

    /// <summary>Ends it when the connection is lost.</summary>
    public void CompleteLost() =>
        Complete(Volatile.Read(ref _state) == Left ? SendOutcome.Unknown : SendOutcome.NotSent, MeshError.ConnectionLost);

    /// <summary>Claims the message's end, which is the first one.</summary>
    private bool End()
    {
        Action? actions = Interlocked.Exchange(ref _onEnd, Over);
        if (ReferenceEquals(actions, Over)) return false;
        actions?.Invoke();
        return true;
    }
}
