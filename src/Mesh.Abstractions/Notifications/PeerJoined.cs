using EventMesh.Events;
using EventMesh.Messaging;
using MediatR;

namespace EventMesh.Notifications;

/// <summary>A peer joined.</summary>
/// <param name="Peer">The peer.</param>
/// <param name="Cause">The event in the log.</param>
/// <param name="IsDurable">Whether the event was durable when this was made.</param>
public sealed record PeerJoined(PeerInfo Peer, RecordedEvent Cause, bool IsDurable) : INotification;
