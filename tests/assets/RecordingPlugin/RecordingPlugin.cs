using System.Text;
using System.Text.Json;
using EventMesh;
using EventMesh.Notifications;
using EventMesh.Plugins;
using MediatR;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using PrivateLibrary;

namespace RecordingPlugin;

/// <summary>A well-behaved plugin: it writes what it sees to its log, and uses everything that the host offers.</summary>
public sealed class Plugin : IMeshPlugin
{
    public string Name => "recording";

    public IReadOnlyList<string> Channels => ["record", "notes.*"];

    public void Configure(IServiceCollection services, IConfiguration configuration) =>
        services.AddSingleton(new Greeting(configuration["Greeting"] ?? "none"));
}

public sealed record Greeting(string Text);

internal sealed class Recorder(IPluginLog log, Greeting greeting, ILogger<Recorder> logger, TimeProvider time, IMesh mesh)
    : INotificationHandler<MessageReceived>, IRequestHandler<RemoteRequest, ReadOnlyMemory<byte>>
{
    public Task Handle(MessageReceived notification, CancellationToken cancellationToken)
    {
        logger.LogDebug("recorded");
        var seen = new
        {
            text = Shout.Loudly(Encoding.UTF8.GetString(notification.Payload.Span)),
            greeting = greeting.Text,
            at = time.GetUtcNow(),
            node = mesh.LocalPeer.ToString(),
        };
        return log.AppendAsync("seen", JsonSerializer.SerializeToElement(seen), cancellationToken);
    }

    public Task<ReadOnlyMemory<byte>> Handle(RemoteRequest request, CancellationToken cancellationToken) =>
        Task.FromResult<ReadOnlyMemory<byte>>(Encoding.UTF8.GetBytes(Shout.Loudly(Encoding.UTF8.GetString(request.Payload.Span))));
}

internal sealed class LeaveRecorder(IPluginLog log) : INotificationHandler<PeerLeft>
{
    public Task Handle(PeerLeft notification, CancellationToken cancellationToken) =>
        log.AppendAsync("left", JsonSerializer.SerializeToElement(notification.Reason.ToString()), cancellationToken);
}

public sealed record OwnNotification : INotification;

/// <summary>Never called: the mesh does not publish a plugin's own notifications, and the host warns of it.</summary>
internal sealed class NeverCalled : INotificationHandler<OwnNotification>
{
    public Task Handle(OwnNotification notification, CancellationToken cancellationToken) => throw new InvalidOperationException("never");
}
