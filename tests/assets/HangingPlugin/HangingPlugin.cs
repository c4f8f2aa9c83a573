using EventMesh.Notifications;
using EventMesh.Plugins;
using MediatR;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;

namespace HangingPlugin;

public sealed class Plugin : IMeshPlugin
{
    public string Name => "hanging";

    public IReadOnlyList<string> Channels => ["*"];

    public void Configure(IServiceCollection services, IConfiguration configuration)
    {
    }
}

/// <summary>Blocks its thread and ignores the token: the worst that a handler can do.</summary>
internal sealed class Hanger : INotificationHandler<MessageReceived>, IRequestHandler<RemoteRequest, ReadOnlyMemory<byte>>, IDisposable
{
    private readonly ManualResetEventSlim _never = new();

    public Task Handle(MessageReceived notification, CancellationToken cancellationToken)
    {
        _never.Wait(CancellationToken.None);
        return Task.CompletedTask;
    }

    public Task<ReadOnlyMemory<byte>> Handle(RemoteRequest request, CancellationToken cancellationToken) =>
        new TaskCompletionSource<ReadOnlyMemory<byte>>().Task;

    public void Dispose() => _never.Dispose();
}
