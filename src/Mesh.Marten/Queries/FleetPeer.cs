using EventMesh.Events;
using EventMesh.Identity;

namespace EventMesh.Marten.Queries;

/// <summary>A peer that is joined to a node of a fleet.</summary>
/// <param name="Node">The node.</param>
/// <param name="Peer">The peer.</param>
/// <param name="Kind">Whether it is a node or a client.</param>
/// <param name="Endpoints">Where it can be dialled.</param>
/// <param name="Agent">Its program and version, as it says.</param>
/// <param name="JoinedAt">Since when it is joined.</param>
public sealed record FleetPeer(NodeId Node, PeerId Peer, PeerKind Kind, IReadOnlyList<string> Endpoints, string Agent, DateTimeOffset JoinedAt);
