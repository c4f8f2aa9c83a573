using System.Diagnostics;
using EventMesh.Dispatch;
using EventMesh.Notifications;
using MediatR;

namespace EventMesh.Tests.Common.Hosting;

/// <summary>A dispatcher that answers what a test sets.</summary>
public sealed class FakeDispatcher : IMessageDispatcher
{
    /// <summary>The answer to each message; null for handled.</summary>
    public MeshError? Answer { get; set; }

    /// <summary>How many messages came.</summary>
    public int Messages { get; private set; }

    /// <summary>How many notifications came.</summary>
    public int Notifications { get; private set; }

    public Task<MeshError?> DispatchAsync(MessageReceived message, ActivityContext parent)
    {
        Messages++;
        return Task.FromResult(Answer);
    }

    public Task<ReadOnlyMemory<byte>> DispatchAsync(RemoteRequest request, ActivityContext parent, CancellationToken cancellationToken) =>
        Task.FromResult(request.Payload);

    public void Publish(INotification notification) => Notifications++;
}
