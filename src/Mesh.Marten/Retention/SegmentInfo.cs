using EventMesh.Events;

namespace EventMesh.Marten.Retention;

/// <summary>A month of the streams <c>peers</c> or <c>cache</c>.</summary>
/// <param name="Family">The streams.</param>
/// <param name="Month">The month, <c>yyyy-mm</c>, of UTC.</param>
/// <param name="Status">Where its events are.</param>
/// <param name="FirstSeq">The place of its first event.</param>
/// <param name="LastSeq">The place of its last event so far.</param>
/// <param name="Count">How many events it has, or had.</param>
/// <param name="BlockBytes">The size of its blocks, in bytes.</param>
/// <param name="Head">The link of the log's hash chain at its last archived event, base64; null where there is none.</param>
public sealed record SegmentInfo(
    StreamFamily Family, string Month, SegmentStatus Status, long FirstSeq, long LastSeq, long Count, long BlockBytes, string? Head);
