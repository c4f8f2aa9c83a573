using EventMesh.Notifications;
using EventMesh.Plugins;
using MediatR;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;

namespace ThrowingPlugin;

public sealed class Plugin : IMeshPlugin
{
    public string Name => "throwing";

    public IReadOnlyList<string> Channels => ["*"];

    public void Configure(IServiceCollection services, IConfiguration configuration)
    {
    }
}

internal sealed class Thrower
    : INotificationHandler<MessageReceived>, INotificationHandler<PeerLeft>, IRequestHandler<RemoteRequest, ReadOnlyMemory<byte>>
{
    public Task Handle(MessageReceived notification, CancellationToken cancellationToken) => throw new InvalidOperationException("thrown at once");

    public async Task Handle(PeerLeft notification, CancellationToken cancellationToken)
    {
        await Task.Yield();
        throw new InvalidOperationException("thrown later");
    }

    public Task<ReadOnlyMemory<byte>> Handle(RemoteRequest request, CancellationToken cancellationToken) => throw new InvalidOperationException("no answer");
}
