using EventMesh.Events;

namespace EventMesh.Marten.Audit;

/// <summary>A month that was removed from the log for good, as an event of the log says.</summary>
/// <param name="Place">The place of that event.</param>
/// <param name="Family">The streams.</param>
/// <param name="Month">The month, <c>yyyy-mm</c>, of UTC.</param>
/// <param name="FirstSeq">The place of its first event.</param>
/// <param name="LastSeq">The place of its last event; events of other streams between the two are there.</param>
/// <param name="Count">How many events it had.</param>
public sealed record AuditDroppedMonth(long Place, StreamFamily Family, string Month, long FirstSeq, long LastSeq, long Count);
