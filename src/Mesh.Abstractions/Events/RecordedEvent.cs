namespace EventMesh.Events;

/// <summary>An event with its place in the log. The order of a node's log is (<see cref="Epoch"/>, <see cref="NodeSeq"/>).</summary>
/// <param name="Id">The event's identity, a UUIDv7 (RFC 9562 5.7).</param>
/// <param name="Epoch">The process that recorded it, counted from 1 over the life of the node.</param>
/// <param name="NodeSeq">The place in the log, from 1 and without a gap over the life of the node, across epochs; 0 for an event of a connection that was only counted because the spool
/// was full: it is not in the log.</param>
/// <param name="Time">When it was recorded: UTC, strictly increasing within a node.</param>
/// <param name="Data">What happened.</param>
/// <param name="TraceParent">The W3C trace context it was recorded under, or null.</param>
public sealed record RecordedEvent(Guid Id, int Epoch, long NodeSeq, DateTimeOffset Time, IMeshEvent Data, string? TraceParent);
