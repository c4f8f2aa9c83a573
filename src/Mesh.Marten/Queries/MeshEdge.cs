using EventMesh.Identity;

namespace EventMesh.Marten.Queries;

/// <summary>A peer that is joined to a node, as the node sees it.</summary>
/// <param name="Node">The node.</param>
/// <param name="Identity">The node's own identity; null as long as the projection <c>node_status</c> has not come so far.</param>
/// <param name="Peer">The peer.</param>
/// <param name="PeerNode">The node that the peer is, when its log is in this schema too; null for others.</param>
/// <param name="Kind">What the peer is.</param>
/// <param name="JoinedAt">Since when.</param>
public sealed record MeshEdge(NodeId Node, PeerId? Identity, PeerId Peer, NodeId? PeerNode, PeerKind Kind, DateTimeOffset JoinedAt);
