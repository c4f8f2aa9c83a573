using System.Collections.Concurrent;
using System.Diagnostics;
using EventMesh.Dispatch;
using EventMesh.Notifications;
using MediatR;

namespace EventMesh.Tests.Common.Nodes;

/// <summary>Keeps what a node received, and answers as the test says.</summary>
public sealed class RecordingDispatcher : IMessageDispatcher
{
    private readonly SemaphoreSlim _changed = new(0);

    public ConcurrentQueue<(MessageReceived Message, ActivityContext Parent)> Messages { get; } = [];

    public ConcurrentQueue<INotification> Notifications { get; } = [];

    /// <summary>What handlers of messages answer; null for handled.</summary>
    public Func<MessageReceived, Task<MeshError?>> OnMessage { get; set; } = _ => Task.FromResult<MeshError?>(null);

    /// <summary>What handlers of requests answer; by custom the request's own content.</summary>
    public Func<RemoteRequest, CancellationToken, Task<ReadOnlyMemory<byte>>> OnRequest { get; set; } = (request, _) => Task.FromResult(request.Payload);

    /// <summary>What takes large messages as streams; null for nobody.</summary>
    public Func<LargeMessage, CancellationToken, Task<MeshError?>>? OnLarge { get; set; }

    public bool TakesLargeMessages(string channel) => OnLarge is not null;

    public Task<MeshError?> DispatchAsync(LargeMessage message, ActivityContext parent, CancellationToken cancellationToken) =>
        OnLarge!(message, cancellationToken);

    public Task<MeshError?> DispatchAsync(MessageReceived message, ActivityContext parent)
    {
        Messages.Enqueue((message, parent));
        _changed.Release();
        return OnMessage(message);
    }

    public Task<ReadOnlyMemory<byte>> DispatchAsync(RemoteRequest request, ActivityContext parent, CancellationToken cancellationToken) =>
        OnRequest(request, cancellationToken);

    public void Publish(INotification notification) => Notifications.Enqueue(notification);

    /// <summary>Waits until so many messages have arrived.</summary>
    public async Task WhenReceivedAsync(int count, TimeSpan limit)
    {
        using var timer = new CancellationTokenSource(limit);
        while (Messages.Count < count) await _changed.WaitAsync(timer.Token);
    }
}
