using System.Text.Json;
using EventMesh;
using EventMesh.Messaging;
using EventMesh.Notifications;
using EventMesh.Plugins;
using MediatR;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;

namespace EchoPlugin;

/// <summary>What the host loads: a name, the channels to listen on, and the plugin's own services (here none).</summary>
public sealed class EchoPlugin : IMeshPlugin
{
    public string Name => "echo";

    public IReadOnlyList<string> Channels => ["echo"];

    public void Configure(IServiceCollection services, IConfiguration configuration)
    {
    }
}

/// <summary>Sends each message on <c>echo</c> back to its sender, on <c>echo.reply</c>, and answers requests with their own content.</summary>
/// <remarks>The host finds handlers by their interfaces and makes one for each message; constructor parameters come from the plugin's container.</remarks>
public sealed class EchoHandler(IMesh mesh) : INotificationHandler<MessageReceived>, IRequestHandler<RemoteRequest, ReadOnlyMemory<byte>>
{
    public async Task Handle(MessageReceived notification, CancellationToken cancellationToken) =>
        await mesh.SendAsync(notification.From, new OutgoingMessage("echo.reply", notification.Payload), cancellationToken);

    public Task<ReadOnlyMemory<byte>> Handle(RemoteRequest request, CancellationToken cancellationToken) => Task.FromResult(request.Payload);
}

/// <summary>Greets each peer that joins, and writes an event of its own into the node's log.</summary>
public sealed class Greeter(IMesh mesh, IPluginLog log) : INotificationHandler<PeerJoined>
{
    public async Task Handle(PeerJoined notification, CancellationToken cancellationToken)
    {
        SendReceipt receipt = await mesh.SendAsync(notification.Peer.Peer, new OutgoingMessage("greetings", "hello"u8.ToArray()), cancellationToken);
        var greeting = new { peer = notification.Peer.Peer.ToString(), outcome = receipt.Outcome.ToString() };
        await log.AppendAsync("greeted", JsonSerializer.SerializeToElement(greeting), cancellationToken);
    }
}
