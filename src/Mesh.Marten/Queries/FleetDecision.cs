using EventMesh.Identity;
using EventMesh.Projections;

namespace EventMesh.Marten.Queries;

/// <summary>A decision on trust that is in force at a node of a fleet.</summary>
/// <param name="Node">The node that keeps to it.</param>
/// <param name="Decision">The decision.</param>
public sealed record FleetDecision(NodeId Node, TrustLedgerEntry Decision);
