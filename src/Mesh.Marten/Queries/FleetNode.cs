using EventMesh.Identity;

namespace EventMesh.Marten.Queries;

/// <summary>A node that keeps its log in a shared database, as far as the log says.</summary>
/// <param name="Node">The node.</param>
/// <param name="Peer">Its identity in the mesh; null while the projections do not know it yet.</param>
/// <param name="Agent">Its program and version; null while the projections do not know it yet.</param>
/// <param name="State">
/// <c>running</c>, <c>stopped</c>, or <c>unknown</c> while the projections do not know it yet. A node that crashed or is cut off counts as running:
/// <paramref name="LastAt"/> tells since when nothing has come from it.
/// </param>
/// <param name="Endpoint">Where it was seen from outside last; null where nobody has told.</param>
/// <param name="Epoch">The number of its last start.</param>
/// <param name="NodeSeq">The last place in its log.</param>
/// <param name="LastAt">The time of the last event.</param>
/// <param name="Lag">How many places the slowest projection is behind; 0 when all are current.</param>
public sealed record FleetNode(
    NodeId Node, PeerId? Peer, string? Agent, string State, string? Endpoint, int Epoch, long NodeSeq, DateTimeOffset LastAt, long Lag);
