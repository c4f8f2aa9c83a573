using EventMesh.Identity;
using EventMesh.Messaging;
using MediatR;

namespace EventMesh.Notifications;

/// <summary>A message arrived.</summary>
/// <param name="Id">Its identity, the same as at the sender.</param>
/// <param name="From">The peer that sent it, proven by TLS.</param>
/// <param name="Channel">The channel.</param>
/// <param name="Payload">The content; the handler's to keep.</param>
public sealed record MessageReceived(MessageId Id, PeerId From, string Channel, ReadOnlyMemory<byte> Payload) : INotification
{
    /// <summary>When the sender loses its interest, by this node's clock; null for never. Not begun by then it is refused, unhandled.</summary>
    public DateTimeOffset? Deadline { get; init; }
}
