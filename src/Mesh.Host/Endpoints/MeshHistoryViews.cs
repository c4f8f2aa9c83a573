using EventMesh.Projections;

namespace EventMesh.Host.Endpoints;

// What the control interface answers from history. Published: members are added, never changed or taken away within v1.

/// <summary>The decisions on trust that were in force.</summary>
internal sealed record TrustHistoryView(IReadOnlyList<TrustLedgerEntry> Decisions, AsOfView AsOf);

/// <summary>Who is joined to whom.</summary>
internal sealed record TopologyView(IReadOnlyList<EdgeView> Edges, IReadOnlyList<NodeAsOfView> AsOf);

/// <summary>A peer that is joined to a node: <paramref name="Identity"/> is the node's own, <paramref name="PeerNode"/> the peer's node where its log is here too.</summary>
internal sealed record EdgeView(string Node, PeerId? Identity, PeerId Peer, string? PeerNode, PeerKind Kind, DateTimeOffset JoinedAt);

/// <summary>What an answer stands on in a node's log.</summary>
internal sealed record NodeAsOfView(string Node, AsOfView AsOf);
