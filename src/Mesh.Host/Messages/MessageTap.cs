using System.Diagnostics;
using EventMesh.Dispatch;
using EventMesh.Notifications;
using MediatR;

namespace EventMesh.Host.Messages;

/// <summary>
/// Lets operators and scripts watch the messages that arrive: a dispatcher in front of the plugins' own. A subscription counts as a handler, so
/// with one a channel that no plugin takes is not answered with <see cref="MeshError.NoHandler"/>.
/// </summary>
internal sealed class MessageTap(IMessageDispatcher inner, TimeProvider time) : IMessageDispatcher
{
    /// <summary>Subscriptions at a time at most.</summary>
    public const int MaxSubscriptions = 16;

    private readonly Lock _mutex = new();

    // Replaced as a whole under the mutex and read without it: dispatching costs one read while nobody watches.
    private volatile MessageSubscription[] _subscriptions = [];

    /// <summary>Watches a channel.</summary>
    /// <param name="pattern">The channel; <c>*</c> as the last character matches any rest.</param>
    /// <exception cref="MeshException"><see cref="MeshError.Busy"/>: there are <see cref="MaxSubscriptions"/>.</exception>
    public MessageSubscription Subscribe(string pattern)
    {
        MessageSubscription subscription = new(pattern, time, Remove);
        lock (_mutex)
        {
            if (_subscriptions.Length >= MaxSubscriptions)
                throw new MeshException(MeshError.Busy, $"{MaxSubscriptions} programs watch messages already. End one of them first.");
            _subscriptions = [.. _subscriptions, subscription];
        }
        return subscription;
    }

    /// <inheritdoc/>
    public Task<MeshError?> DispatchAsync(MessageReceived message, ActivityContext parent)
    {
        bool watched = false;
        foreach (MessageSubscription subscription in _subscriptions) watched |= subscription.Offer(message);
        Task<MeshError?> handled = inner.DispatchAsync(message, parent);
        return watched ? IgnoreNoHandlerAsync(handled) : handled;
    }

    /// <inheritdoc/>
    public Task<ReadOnlyMemory<byte>> DispatchAsync(RemoteRequest request, ActivityContext parent, CancellationToken cancellationToken) =>
        inner.DispatchAsync(request, parent, cancellationToken);

    /// <inheritdoc/>
    public bool TakesLargeMessages(string channel) => inner.TakesLargeMessages(channel);

    /// <inheritdoc/>
    public Task<MeshError?> DispatchAsync(LargeMessage message, ActivityContext parent, CancellationToken cancellationToken) =>
        inner.DispatchAsync(message, parent, cancellationToken);

    /// <inheritdoc/>
    public void Publish(INotification notification) => inner.Publish(notification);

    private static async Task<MeshError?> IgnoreNoHandlerAsync(Task<MeshError?> handled) =>
        await handled is { } error and not MeshError.NoHandler ? error : null;

    private void Remove(MessageSubscription subscription)
    {
        lock (_mutex) _subscriptions = [.. _subscriptions.Where(s => s != subscription)];
    }
}
