using System.Text;
using EventMesh.PubSub;

namespace EventMesh.Plugins.PubSub.Internal;

/// <summary>
/// Between those who use topics and the plugin that provides them: it keeps the subscriptions, so that they survive the provider's reload.
/// </summary>
internal sealed class PubSubHub
{
    private const int MaxTopicBytes = 128;
    private readonly Lock _mutex = new();
    private readonly List<Subscription> _subscriptions = [];
    private IPubSubProvider? _provider;

    /// <summary>Takes a provider: it gets all subscriptions.</summary>
    public async Task AttachAsync(IPubSubProvider provider, CancellationToken cancellationToken)
    {
        await provider.StartAsync(cancellationToken).ConfigureAwait(false);
        Subscription[] subscriptions;
        lock (_mutex)
        {
            if (_provider is not null)
                throw new InvalidOperationException("another plugin provides topics already");
            _provider = provider;
            subscriptions = [.. _subscriptions];
        }

        foreach (Subscription subscription in subscriptions)
            await subscription.AttachAsync(provider, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Forgets a provider that is unloaded.</summary>
    public void Detach(IPubSubProvider provider)
    {
        Subscription[] subscriptions;
        lock (_mutex)
        {
            if (_provider != provider)
                return;
            _provider = null;
            subscriptions = [.. _subscriptions];
        }

        foreach (Subscription subscription in subscriptions)
            subscription.Forget();
    }

    /// <summary>Adds a subscription of a plugin or the application.</summary>
    public async Task<IAsyncDisposable> SubscribeAsync(PluginPubSub owner, string topic, Action<TopicMessage> deliver, CancellationToken cancellationToken)
    {
        CheckTopic(topic);
        var subscription = new Subscription(this, owner, topic, deliver);
        IPubSubProvider? provider;
        lock (_mutex)
        {
            _subscriptions.Add(subscription);
            provider = _provider;
        }

        try
        {
            if (provider is not null)
                await subscription.AttachAsync(provider, cancellationToken).ConfigureAwait(false);
        }
        catch
        {
            Remove(subscription);
            throw;
        }

        return subscription;
    }

    /// <summary>Publishes by the provider of the moment.</summary>
    public Task<int> PublishAsync(string topic, ReadOnlyMemory<byte> payload, CancellationToken cancellationToken)
    {
        CheckTopic(topic);
        IPubSubProvider? provider;
        lock (_mutex)
            provider = _provider;
        return provider?.PublishAsync(topic, payload, cancellationToken)
            ?? Task.FromException<int>(new MeshException(MeshError.NoHandler, "No plugin provides topics. Add EventMesh.Plugins.PubSub to the plugin folder."));
    }

    /// <summary>Ends the subscriptions of a plugin that is unloaded.</summary>
    public async Task RemoveAllAsync(PluginPubSub owner)
    {
        Subscription[] subscriptions;
        lock (_mutex)
            subscriptions = [.. _subscriptions.Where(subscription => subscription.Owner == owner)];
        foreach (Subscription subscription in subscriptions)
            await subscription.DisposeAsync().ConfigureAwait(false);
    }

    private static void CheckTopic(string topic)
    {
        ArgumentException.ThrowIfNullOrEmpty(topic);
        int bytes = Encoding.UTF8.GetByteCount(topic);
        if (bytes > MaxTopicBytes)
            throw new ArgumentException($"A topic has at most {MaxTopicBytes} bytes of UTF-8, not {bytes}.", nameof(topic));
    }

    private bool IsCurrent(Subscription subscription, IPubSubProvider provider)
    {
        lock (_mutex)
            return _provider == provider && _subscriptions.Contains(subscription);
    }

    private void Remove(Subscription subscription)
    {
        lock (_mutex)
            _subscriptions.Remove(subscription);
    }

    private sealed class Subscription(PubSubHub hub, PluginPubSub owner, string topic, Action<TopicMessage> deliver) : IAsyncDisposable
    {
        private readonly Lock _mutex = new();

        // The provider's own object; null while there is no provider.
        private IAsyncDisposable? _provided;
        private IPubSubProvider? _provider;

        public PluginPubSub Owner { get; } = owner;

        public async Task AttachAsync(IPubSubProvider provider, CancellationToken cancellationToken)
        {
            lock (_mutex)
            {
                // A new subscription and a new provider may meet twice.
                if (_provider == provider)
                    return;
                _provider = provider;
            }

            IAsyncDisposable provided = await provider.SubscribeAsync(topic, deliver, cancellationToken).ConfigureAwait(false);
            lock (_mutex)
            {
                if (hub.IsCurrent(this, provider))
                {
                    _provided = provided;
                    return;
                }
            }

            await provided.DisposeAsync().ConfigureAwait(false);
        }

        public void Forget()
        {
            lock (_mutex)
            {
                _provided = null;
                _provider = null;
            }
        }

        public async ValueTask DisposeAsync()
        {
            hub.Remove(this);
            IAsyncDisposable? provided;
            lock (_mutex)
            {
                provided = _provided;
                _provided = null;
            }

            if (provided is not null)
                await provided.DisposeAsync().ConfigureAwait(false);
        }
    }
}
