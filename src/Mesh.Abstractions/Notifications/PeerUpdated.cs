using EventMesh.Events;
using EventMesh.Messaging;
using MediatR;

namespace EventMesh.Notifications;

/// <summary>A joined peer changed its kind or its addresses.</summary>
/// <param name="Peer">The peer as it is now.</param>
/// <param name="Cause">The event in the log.</param>
/// <param name="IsDurable">Whether the event was durable when this was made.</param>
public sealed record PeerUpdated(PeerInfo Peer, RecordedEvent Cause, bool IsDurable) : INotification;
