using EventMesh.Events;

namespace EventMesh.Marten.Projections.Internal;

/// <summary>A part of a node's log.</summary>
/// <param name="After">The place that it follows.</param>
/// <param name="UpTo">The place up to which there is nothing else that was asked for.</param>
/// <param name="Events">What was asked for, in order of place.</param>
/// <param name="IsLast">Whether it reaches the end of the log, as it was.</param>
internal sealed record LogPage(long After, long UpTo, IReadOnlyList<RecordedEvent> Events, bool IsLast);
