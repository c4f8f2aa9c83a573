namespace EventMesh.Journal;

/// <summary>The end of a node's log.</summary>
/// <param name="Epoch">The last claimed epoch; 0 for a new node.</param>
/// <param name="NodeSeq">The last place; 0 for a new node.</param>
/// <param name="Time">The time of the event there; the minimum for a new node.</param>
public readonly record struct LogPosition(int Epoch, long NodeSeq, DateTimeOffset Time);
