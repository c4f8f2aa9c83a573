namespace EventMesh.Marten.Queries;

/// <summary>How far a projection has followed a node's log.</summary>
/// <param name="Name">Its name, that of its view.</param>
/// <param name="NodeSeq">The place up to which it has folded.</param>
/// <param name="LogSeq">The end of the log.</param>
/// <param name="Lag">The events after <paramref name="NodeSeq"/> that concern it; 0 when it is current.</param>
public sealed record ProjectionStatus(string Name, long NodeSeq, long LogSeq, long Lag);
