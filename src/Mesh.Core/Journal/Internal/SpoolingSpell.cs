using EventMesh.Events;

namespace EventMesh.Journal.Internal;

/// <summary>A time in which events take the way by the spool.</summary>
/// <param name="Began">Since when.</param>
/// <param name="Cause">Why.</param>
/// <param name="Events">How many events went to the spool so far.</param>
internal sealed record SpoolingSpell(DateTimeOffset Began, SpoolingCause Cause, long Events);
