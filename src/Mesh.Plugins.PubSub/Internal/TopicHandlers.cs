using EventMesh.Notifications;
using MediatR;

namespace EventMesh.Plugins.PubSub.Internal;

/// <summary>What the mesh tells the router.</summary>
internal sealed class TopicHandlers(TopicRouter router)
    : INotificationHandler<MessageReceived>, INotificationHandler<PeerJoined>, INotificationHandler<PeerLeft>
{
    public Task Handle(MessageReceived notification, CancellationToken cancellationToken)
    {
        if (notification.Channel == TopicCodec.ControlChannel)
            return router.ReceiveTopicsAsync(notification.From, notification.Payload, cancellationToken);
        router.ReceiveMessage(notification.From, notification.Payload);
        return Task.CompletedTask;
    }

    public Task Handle(PeerJoined notification, CancellationToken cancellationToken) =>
        router.JoinedAsync(notification.Peer.Peer, cancellationToken);

    public Task Handle(PeerLeft notification, CancellationToken cancellationToken)
    {
        router.Left(notification.Peer);
        return Task.CompletedTask;
    }
}
