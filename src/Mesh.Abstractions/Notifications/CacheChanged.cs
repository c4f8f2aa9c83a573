using EventMesh.Events;
using MediatR;

namespace EventMesh.Notifications;

/// <summary>The bootstrap cache changed; <see cref="RecordedEvent.Data"/> of the cause says how.</summary>
/// <param name="Cause">The event in the log, of the family <see cref="StreamFamily.Cache"/>.</param>
/// <param name="IsDurable">Whether the event was durable when this was made.</param>
public sealed record CacheChanged(RecordedEvent Cause, bool IsDurable) : INotification;
