using EventMesh.Events;
using EventMesh.Identity;
using MediatR;

namespace EventMesh.Notifications;

/// <summary>A peer left.</summary>
/// <param name="Peer">The peer.</param>
/// <param name="Reason">Why.</param>
/// <param name="Cause">The event in the log.</param>
/// <param name="IsDurable">Whether the event was durable when this was made.</param>
public sealed record PeerLeft(PeerId Peer, CloseReason Reason, RecordedEvent Cause, bool IsDurable) : INotification;
