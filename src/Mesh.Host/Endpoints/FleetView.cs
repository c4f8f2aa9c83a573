using EventMesh.Marten.Queries;

namespace EventMesh.Host.Endpoints;

/// <summary>The nodes that share a database. Published: members are added, never changed or taken away within v1.</summary>
/// <param name="Leader">The process that lets the projections follow; null when none ever did.</param>
/// <param name="Nodes">The nodes, as far as their logs say.</param>
internal sealed record FleetView(FleetLeader? Leader, IReadOnlyList<FleetNode> Nodes);
