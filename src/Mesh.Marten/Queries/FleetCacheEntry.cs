using EventMesh.Events;
using EventMesh.Identity;

namespace EventMesh.Marten.Queries;

/// <summary>An entry in the bootstrap cache of a node of a fleet.</summary>
/// <param name="Node">The node whose cache it is.</param>
/// <param name="Peer">The cached node.</param>
/// <param name="Endpoints">Where it can be dialled, the proven one first.</param>
/// <param name="Origin">Who dialled whom first.</param>
/// <param name="IsConfirmed">Whether somebody else, or we after a silence, have reached it too.</param>
/// <param name="Failures">Failed dials in a row.</param>
/// <param name="LastConnectedAt">When it was last connected.</param>
public sealed record FleetCacheEntry(
    NodeId Node, PeerId Peer, IReadOnlyList<string> Endpoints, ConnectionDirection Origin, bool IsConfirmed, int Failures, DateTimeOffset LastConnectedAt);
