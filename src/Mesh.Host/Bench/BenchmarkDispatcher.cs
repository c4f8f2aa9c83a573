using System.Diagnostics;
using EventMesh.Dispatch;
using EventMesh.Notifications;
using MediatR;

namespace EventMesh.Host.Bench;

/// <summary>Counts messages and echoes requests at once: what is measured is the way there, not handlers.</summary>
internal sealed class BenchmarkDispatcher : IMessageDispatcher
{
    private static readonly Task<MeshError?> Handled = Task.FromResult<MeshError?>(null);
    private long _messages;

    /// <summary>Messages so far.</summary>
    public long Messages => Interlocked.Read(ref _messages);

    public Task<MeshError?> DispatchAsync(MessageReceived message, ActivityContext parent)
    {
        Interlocked.Increment(ref _messages);
        return Handled;
    }

    public Task<ReadOnlyMemory<byte>> DispatchAsync(RemoteRequest request, ActivityContext parent, CancellationToken cancellationToken) =>
        Task.FromResult(request.Payload);

    public void Publish(INotification notification)
    {
        // Nobody listens.
    }
}
