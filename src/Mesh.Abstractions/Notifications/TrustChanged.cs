using EventMesh.Events;
using MediatR;

namespace EventMesh.Notifications;

/// <summary>A trust decision was made; <see cref="RecordedEvent.Data"/> of the cause says which.</summary>
/// <param name="Cause">The event in the log, of the family <see cref="StreamFamily.Trust"/>.</param>
/// <param name="IsDurable">Whether the event was durable when this was made.</param>
public sealed record TrustChanged(RecordedEvent Cause, bool IsDurable) : INotification;
