namespace EventMesh.PubSub;

/// <summary>
/// Topics: who subscribes receives what is published from then on, on any node that is joined directly with this one. A plugin provides them;
/// this is the host's stand-in for it, which keeps subscriptions while that plugin is reloaded.
/// </summary>
/// <remarks>
/// All members may be called from any thread at any time. Delivery is at most once and in no order: for more, send a message to the peer and
/// wait for its outcome.
/// </remarks>
public interface IPubSub
{
    /// <summary>Subscribes to a topic. Peers learn of it a moment later.</summary>
    /// <param name="topic">The topic: 1 to 128 bytes of UTF-8.</param>
    /// <param name="handler">
    /// Called for each message, in the subscriber's own queue: in order with its messages, under its time limit, and a failure is the
    /// subscriber's. When that queue is full the message is dropped and counted.
    /// </param>
    /// <param name="cancellationToken">Cancels the call.</param>
    /// <returns>Disposing it ends the subscription; a plugin's end with it.</returns>
    /// <exception cref="ArgumentException">The topic is empty or too long.</exception>
    /// <remarks>Without a plugin that provides topics the subscription waits for one.</remarks>
    Task<IAsyncDisposable> SubscribeAsync(
        string topic, Func<TopicMessage, CancellationToken, Task> handler, CancellationToken cancellationToken = default);

    /// <summary>Publishes to a topic: to the subscribers on this node and on the joined peers.</summary>
    /// <param name="topic">The topic: 1 to 128 bytes of UTF-8.</param>
    /// <param name="payload">The content; it must not change until the task ends.</param>
    /// <param name="cancellationToken">Cancels what has not been sent yet.</param>
    /// <returns>How many peers the message arrived at.</returns>
    /// <exception cref="ArgumentException">The topic is empty or too long.</exception>
    /// <remarks>
    /// The task fails with <see cref="MeshException"/>: <see cref="MeshError.NoHandler"/> when no plugin provides topics.
    /// </remarks>
    Task<int> PublishAsync(string topic, ReadOnlyMemory<byte> payload, CancellationToken cancellationToken = default);
}
