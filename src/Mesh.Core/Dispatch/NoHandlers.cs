using System.Diagnostics;
using EventMesh.Notifications;
using MediatR;

namespace EventMesh.Dispatch;

/// <summary>The dispatcher of a node without plugins and handlers: nobody takes anything.</summary>
internal sealed class NoHandlers : IMessageDispatcher
{
    private static readonly Task<MeshError?> Nobody = Task.FromResult<MeshError?>(MeshError.NoHandler);

    public Task<MeshError?> DispatchAsync(MessageReceived message, ActivityContext parent) => Nobody;

    public Task<ReadOnlyMemory<byte>> DispatchAsync(RemoteRequest request, ActivityContext parent, CancellationToken cancellationToken) =>
        Task.FromException<ReadOnlyMemory<byte>>(new MeshException(MeshError.NoHandler, $"Nobody handles requests on '{request.Channel}'."));

    public void Publish(INotification notification)
    {
        // Nobody listens.
    }
}
