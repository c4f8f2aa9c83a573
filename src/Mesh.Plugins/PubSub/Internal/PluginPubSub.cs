using EventMesh.Plugins.Dispatch.Internal;
using EventMesh.PubSub;

namespace EventMesh.Plugins.PubSub.Internal;

/// <summary>The topics as one plugin, or the application, sees them: what it subscribed to is delivered by its own runner.</summary>
internal sealed class PluginPubSub(PubSubHub hub) : IPubSub
{
    // Set once the subscriber is at work; what comes earlier is dropped, like what comes later.
    private volatile PluginRunner? _runner;

    public void Attach(PluginRunner? runner) => _runner = runner;

    public Task<IAsyncDisposable> SubscribeAsync(
        string topic, Func<TopicMessage, CancellationToken, Task> handler, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(handler);
        return hub.SubscribeAsync(this, topic, message => _runner?.Deliver(message, handler), cancellationToken);
    }

    public Task<int> PublishAsync(string topic, ReadOnlyMemory<byte> payload, CancellationToken cancellationToken = default) =>
        hub.PublishAsync(topic, payload, cancellationToken);

    /// <summary>Ends all its subscriptions.</summary>
    public Task EndAsync()
    {
        _runner = null;
        return hub.RemoveAllAsync(this);
    }
}
