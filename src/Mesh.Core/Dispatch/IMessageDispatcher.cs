using EventMesh.Notifications;
using MediatR;

namespace EventMesh.Dispatch;

/// <summary>
/// Where sessions hand over what arrived: the handlers of plugins and of the embedding application. No member blocks: a full queue
/// is an answer.
/// </summary>
public interface IMessageDispatcher
{
    /// <summary>Hands a message over to all handlers of its channel.</summary>
    /// <param name="message">The message.</param>
    /// <param name="parent">The sender's trace context, for a child span or a link; default for none.</param>
    /// <returns>
    /// Completes with null when all handlers have returned, or with why not: <see cref="MeshError.NoHandler"/> or
    /// <see cref="MeshError.Busy"/> at once, <see cref="MeshError.HandlerFailed"/> later. It never fails.
    /// </returns>
    Task<MeshError?> DispatchAsync(MessageReceived message, System.Diagnostics.ActivityContext parent);

    /// <summary>Hands a request over to the one handler of its channel.</summary>
    /// <param name="request">The request.</param>
    /// <param name="parent">The sender's trace context.</param>
    /// <param name="cancellationToken">The peer took the request back.</param>
    /// <remarks>
    /// The task fails with <see cref="MeshException"/>: <see cref="MeshError.NoHandler"/>, <see cref="MeshError.Busy"/>,
    /// <see cref="MeshError.HandlerFailed"/>.
    /// </remarks>
    Task<ReadOnlyMemory<byte>> DispatchAsync(RemoteRequest request, System.Diagnostics.ActivityContext parent, CancellationToken cancellationToken);

    /// <summary>Whether a handler takes large messages of a channel as streams; without one they come whole. False unless it says otherwise.</summary>
    bool TakesLargeMessages(string channel) => false;

    /// <summary>Hands a large message over, as it arrives, to the one handler of its channel.</summary>
    /// <param name="message">The message; its content may be read until the task has completed.</param>
    /// <param name="parent">The sender's trace context.</param>
    /// <param name="cancellationToken">The connection was lost.</param>
    /// <returns>As for <see cref="DispatchAsync(MessageReceived, System.Diagnostics.ActivityContext)"/>.</returns>
    Task<MeshError?> DispatchAsync(LargeMessage message, System.Diagnostics.ActivityContext parent, CancellationToken cancellationToken) =>
        Task.FromResult<MeshError?>(MeshError.NoHandler);

    /// <summary>Tells all handlers of a change; drops the oldest waiting one of a slow handler, with a metric.</summary>
    void Publish(INotification notification);
}
