namespace EventMesh.Messaging;

/// <summary>A message to a peer.</summary>
/// <param name="Channel">Which handlers it is for: 1 to 128 bytes of UTF-8, low cardinality, such as <c>chat</c>.</param>
/// <param name="Payload">The content; it must not change until the send has ended.</param>
public sealed record OutgoingMessage(string Channel, ReadOnlyMemory<byte> Payload)
{
    /// <summary>Comes back in <see cref="SendReceipt.Token"/>, untouched.</summary>
    public object? Token { get; init; }

    /// <summary>What the send waits for. Defaults to <see cref="DeliveryMode.Acknowledged"/>.</summary>
    public DeliveryMode Delivery { get; init; }

    /// <summary>Whether a full send queue is waited for (the default) or answered with <see cref="MeshError.QueueFull"/>.</summary>
    public bool FailWhenQueueFull { get; init; }
}
