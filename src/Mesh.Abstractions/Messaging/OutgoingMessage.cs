namespace EventMesh.Messaging;

/// <summary>A message to a peer.</summary>
/// <param name="Channel">Which handlers it is for: 1 to 128 bytes of UTF-8, low cardinality, such as <c>chat</c>.</param>
/// <param name="Payload">The content; it must not change until the send has ended. Empty with <see cref="Content"/>.</param>
public sealed record OutgoingMessage(string Channel, ReadOnlyMemory<byte> Payload)
{
    /// <summary>Comes back in <see cref="SendReceipt.Token"/>, untouched.</summary>
    public object? Token { get; init; }

    /// <summary>What the send waits for. Defaults to <see cref="DeliveryMode.Acknowledged"/>.</summary>
    public DeliveryMode Delivery { get; init; }

    /// <summary>Whether a full send queue is waited for (the default) or answered with <see cref="MeshError.QueueFull"/>.</summary>
    public bool FailWhenQueueFull { get; init; }

    /// <summary>
    /// How it fares among others that wait for the same peer. Defaults to <see cref="MessagePriority.Normal"/>. Ordered messages and messages
    /// above 256 KiB do not wait in the queue that it concerns.
    /// </summary>
    public MessagePriority Priority { get; init; }

    /// <summary>
    /// How long after the call the message is worth something; at least 1 ms. Defaults to null: for ever, or within a handler of a message, for
    /// <see cref="DeliveryMode.Handled"/>, for half of the time that the handler has left. What has not left by then ends as
    /// <see cref="SendOutcome.NotSent"/>, what the peer has not handled by then as <see cref="SendOutcome.Refused"/>, both with
    /// <see cref="MeshError.DeadlineExceeded"/>; what has left and is not answered within one second more as <see cref="SendOutcome.Unknown"/>.
    /// </summary>
    public TimeSpan? Deadline { get; init; }

    /// <summary>
    /// Whether the message arrives after all earlier ordered messages of the same channel to the same peer, as long as the peer stays joined.
    /// Defaults to false. At most 256 KiB; at most 16 channels with messages under way per peer, more are answered with
    /// <see cref="MeshError.QueueFull"/>.
    /// </summary>
    public bool IsOrdered { get; init; }

    /// <summary>
    /// How long after the call the message is sent again, with the same identity, when the connection was lost before the outcome was known, or
    /// the peer is not joined. Defaults to null: never. The peer drops what it has seen, so it arrives at least once, and only once unless the
    /// peer's process was restarted in between. Not for ordered messages, nor for those with <see cref="Content"/>.
    /// </summary>
    public TimeSpan? RetryFor { get; init; }

    /// <summary>
    /// The content instead of <see cref="Payload"/>: <see cref="ContentLength"/> bytes are read from it as they are sent, so that the message is
    /// never whole in memory. Defaults to null. The caller disposes it when the send has ended.
    /// </summary>
    public Stream? Content { get; init; }

    /// <summary>How many bytes <see cref="Content"/> has: up to 1 GiB; the peer refuses what is above its limit and is not streamed to a handler.</summary>
    public long ContentLength { get; init; }
}
