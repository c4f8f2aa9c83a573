using EventMesh.Identity;

namespace EventMesh.Marten.Queries;

/// <summary>Who was joined to whom.</summary>
/// <param name="Edges">The edges, in order of node and peer.</param>
/// <param name="AsOf">What the answer stands on, for each node: every node's log has places of its own.</param>
public sealed record MeshTopology(IReadOnlyList<MeshEdge> Edges, IReadOnlyDictionary<NodeId, HistoryPoint> AsOf);
