namespace EventMesh.PubSub;

/// <summary>
/// What a plugin registers in its container to provide topics to the application and to other plugins, who see <see cref="IPubSub"/>. One plugin of
/// a node may.
/// </summary>
/// <remarks>
/// Calling contract: the host calls <see cref="StartAsync"/> first, once; after it the others from any thread at any time, until the plugin is
/// unloaded. The host has checked the topics.
/// </remarks>
public interface IPubSubProvider
{
    /// <summary>Tells the joined peers that topics are provided here.</summary>
    Task StartAsync(CancellationToken cancellationToken);

    /// <summary>Adds a local subscriber.</summary>
    /// <param name="topic">The topic.</param>
    /// <param name="deliver">Takes a message; it returns at once and never throws.</param>
    /// <param name="cancellationToken">Cancels the call.</param>
    /// <returns>Disposing it ends the subscription.</returns>
    Task<IAsyncDisposable> SubscribeAsync(string topic, Action<TopicMessage> deliver, CancellationToken cancellationToken);

    /// <summary>Publishes to local subscribers and to peers.</summary>
    /// <returns>How many peers the message arrived at.</returns>
    Task<int> PublishAsync(string topic, ReadOnlyMemory<byte> payload, CancellationToken cancellationToken);
}
