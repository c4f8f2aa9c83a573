using EventMesh.Notifications;
using MediatR;

namespace EventMesh.Plugins.Tests;

/// <summary>What the handlers below do: each test says.</summary>
internal sealed class Behaviour
{
    public Func<MessageReceived, CancellationToken, Task> OnMessage { get; set; } = (_, _) => Task.CompletedTask;

    public Func<MessageReceived, CancellationToken, Task> OnMessageToo { get; set; } = (_, _) => Task.CompletedTask;

    public Func<PeerLeft, CancellationToken, Task> OnLeft { get; set; } = (_, _) => Task.CompletedTask;

    public Func<PeerLeft, CancellationToken, Task> OnLeftToo { get; set; } = (_, _) => Task.CompletedTask;

    public Func<RemoteRequest, CancellationToken, Task<ReadOnlyMemory<byte>>> OnRequest { get; set; } = (request, _) => Task.FromResult(request.Payload);
}

internal sealed class MessageHandler(Behaviour behaviour) : INotificationHandler<MessageReceived>
{
    public Task Handle(MessageReceived notification, CancellationToken cancellationToken) => behaviour.OnMessage(notification, cancellationToken);
}

internal sealed class SecondMessageHandler(Behaviour behaviour) : INotificationHandler<MessageReceived>
{
    public Task Handle(MessageReceived notification, CancellationToken cancellationToken) => behaviour.OnMessageToo(notification, cancellationToken);
}

internal sealed class LeftHandler(Behaviour behaviour) : INotificationHandler<PeerLeft>
{
    public Task Handle(PeerLeft notification, CancellationToken cancellationToken) => behaviour.OnLeft(notification, cancellationToken);
}

internal sealed class SecondLeftHandler(Behaviour behaviour) : INotificationHandler<PeerLeft>
{
    public Task Handle(PeerLeft notification, CancellationToken cancellationToken) => behaviour.OnLeftToo(notification, cancellationToken);
}

internal sealed class RequestHandler(Behaviour behaviour) : IRequestHandler<RemoteRequest, ReadOnlyMemory<byte>>
{
    public Task<ReadOnlyMemory<byte>> Handle(RemoteRequest request, CancellationToken cancellationToken) => behaviour.OnRequest(request, cancellationToken);
}
