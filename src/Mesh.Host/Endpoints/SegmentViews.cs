using EventMesh.Marten.Retention;

namespace EventMesh.Host.Endpoints;

/// <summary>Asks to archive or to drop months.</summary>
/// <param name="OlderThan">How long ago a month must have ended; null for the configured age.</param>
/// <param name="Yes">Whether to drop; without it only what would be dropped is told.</param>
internal sealed record SegmentsRequest(TimeSpan? OlderThan, bool Yes = false);

/// <summary>The months that were archived or dropped, or would be.</summary>
/// <param name="IsDone">False when it is only told what would be done.</param>
/// <param name="Segments">The months.</param>
internal sealed record SegmentsChange(bool IsDone, IReadOnlyList<SegmentInfo> Segments);
