using System.Net;
using EventMesh.Identity;

namespace EventMesh.Events;

/// <summary>A process took over the node's log.</summary>
/// <param name="Node">The log's tenant.</param>
/// <param name="Peer">The node's identity to others.</param>
/// <param name="Instance">The random identity of this process start.</param>
/// <param name="Kind">What the node asked to be.</param>
/// <param name="Agent">Program and version.</param>
/// <param name="Transport">The QUIC provider in use.</param>
[MeshEvent("node.started", 1, StreamFamily.Node)]
public sealed record NodeStarted(NodeId Node, PeerId Peer, Guid Instance, PeerKind Kind, string Agent, string Transport) : IMeshEvent;

/// <summary>The process ended in order; without it the next start closes what was left open.</summary>
/// <param name="Reason">Why, for people.</param>
[MeshEvent("node.stopped", 1, StreamFamily.Node)]
public sealed record NodeStopped(string Reason) : IMeshEvent;

/// <summary>The node made or imported its key.</summary>
/// <param name="Peer">The identity of the key.</param>
/// <param name="Algorithm">The key's algorithm: <c>ecdsa-p256</c>, <c>ecdsa-p384</c> or <c>rsa</c>.</param>
[MeshEvent("node.identity-created", 1, StreamFamily.Node)]
public sealed record IdentityCreated(PeerId Peer, string Algorithm) : IMeshEvent;

/// <summary>The node changed its key; it stays the same peer to those who see the statement that both keys have signed.</summary>
/// <param name="Predecessor">The identity until then.</param>
/// <param name="Successor">The identity since.</param>
/// <param name="Sequence">The number of the change, from 1.</param>
/// <param name="SignedAt">When it was signed.</param>
[MeshEvent("node.identity-rotated", 1, StreamFamily.Node)]
public sealed record IdentityRotated(PeerId Predecessor, PeerId Successor, long Sequence, DateTimeOffset SignedAt) : IMeshEvent;

/// <summary>A peer told us the endpoint at which it sees us.</summary>
/// <param name="Endpoint">The endpoint.</param>
/// <param name="Observer">The peer that told us.</param>
[MeshEvent("node.endpoint-observed", 1, StreamFamily.Node)]
public sealed record EndpointObserved(IPEndPoint Endpoint, PeerId Observer) : IMeshEvent;

/// <summary>What the node knows of its own reachability changed.</summary>
/// <param name="Reachability">The new state.</param>
[MeshEvent("node.reachability-changed", 1, StreamFamily.Node)]
public sealed record ReachabilityChanged(Reachability Reachability) : IMeshEvent;

/// <summary>The node joined the mesh.</summary>
/// <param name="Source">Where the first peer that answered was known from.</param>
/// <param name="Peer">The first peer that answered.</param>
/// <param name="Endpoint">Where it answered.</param>
/// <param name="Candidates">How many candidates were dialled until then.</param>
/// <param name="Duration">From the first dial to the joined peer.</param>
[MeshEvent("node.bootstrap-succeeded", 1, StreamFamily.Node)]
public sealed record BootstrapSucceeded(BootstrapSource Source, PeerId Peer, IPEndPoint Endpoint, int Candidates, TimeSpan Duration) : IMeshEvent;

/// <summary>No candidate could be joined; the node tries again.</summary>
/// <param name="Candidates">How many candidates were dialled.</param>
/// <param name="RetryAfter">The wait before the next round.</param>
[MeshEvent("node.bootstrap-failed", 1, StreamFamily.Node)]
public sealed record BootstrapFailed(int Candidates, TimeSpan RetryAfter) : IMeshEvent;

/// <summary>Whether others can dial this node.</summary>
public enum Reachability
{
    /// <summary>No reverse check has ended yet.</summary>
    Unknown,

    /// <summary>A peer reached us from a socket that we had not sent to.</summary>
    Reachable,

    /// <summary>The peers' reverse checks failed: we are a client in effect.</summary>
    Unreachable,
}

/// <summary>Where a bootstrap candidate was known from.</summary>
public enum BootstrapSource
{
    /// <summary>The bootstrap cache, folded from the log.</summary>
    Cache,

    /// <summary>A hard-coded contact of the configuration.</summary>
    Contact,
}
