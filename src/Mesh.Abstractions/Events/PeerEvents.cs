using System.Net;
using EventMesh.Identity;

namespace EventMesh.Events;

/// <summary>A peer answered a dial for the first time since this process knows it.</summary>
/// <param name="Peer">The peer.</param>
/// <param name="Endpoint">Where it answered.</param>
/// <param name="Source">How its address was known.</param>
[MeshEvent("peer.discovered", 1, StreamFamily.Peers)]
public sealed record PeerDiscovered(PeerId Peer, IPEndPoint Endpoint, DiscoverySource Source) : IMeshEvent;

/// <summary>A dial failed.</summary>
/// <param name="Endpoint">The address dialled.</param>
/// <param name="Expected">The peer expected there, if one was.</param>
/// <param name="Error">Why.</param>
/// <param name="Detail">Why, for people.</param>
[MeshEvent("peer.dial-failed", 1, StreamFamily.Peers)]
public sealed record DialFailed(IPEndPoint Endpoint, PeerId? Expected, MeshError Error, string Detail) : IMeshEvent;

/// <summary>Both sides accepted a connection.</summary>
/// <param name="Connection">The connection's identity in this log.</param>
/// <param name="Peer">The peer.</param>
/// <param name="Remote">The peer's end.</param>
/// <param name="Direction">Who dialled.</param>
[MeshEvent("connection.opened", 1, StreamFamily.Peers)]
public sealed record ConnectionOpened(Guid Connection, PeerId Peer, IPEndPoint Remote, ConnectionDirection Direction) : IMeshEvent;

/// <summary>We dialled a peer that had dialled us, and it answered.</summary>
/// <param name="Peer">The peer.</param>
/// <param name="Endpoint">Where it answered.</param>
[MeshEvent("peer.reverse-connectivity-confirmed", 1, StreamFamily.Peers)]
public sealed record ReverseConnectivityConfirmed(PeerId Peer, IPEndPoint Endpoint) : IMeshEvent;

/// <summary>A peer that calls itself a node could not be dialled.</summary>
/// <param name="Peer">The peer.</param>
/// <param name="Endpoints">The addresses dialled.</param>
/// <param name="Error">Why the last one failed.</param>
[MeshEvent("peer.reverse-connectivity-failed", 1, StreamFamily.Peers)]
public sealed record ReverseConnectivityFailed(PeerId Peer, IReadOnlyList<IPEndPoint> Endpoints, MeshError Error) : IMeshEvent;

/// <summary>A peer joined: all connections that its kind needs stand.</summary>
/// <param name="Peer">The peer.</param>
/// <param name="Instance">The random identity of its process start.</param>
/// <param name="Kind">What it is.</param>
/// <param name="Endpoints">Where it can be dialled; empty for a client.</param>
/// <param name="Agent">Its program and version, as it says.</param>
[MeshEvent("peer.joined", 1, StreamFamily.Peers)]
public sealed record PeerJoined(PeerId Peer, Guid Instance, PeerKind Kind, IReadOnlyList<IPEndPoint> Endpoints, string Agent) : IMeshEvent;

/// <summary>A joined peer changed its kind or its addresses.</summary>
/// <param name="Peer">The peer.</param>
/// <param name="Kind">What it is now.</param>
/// <param name="Endpoints">Where it can be dialled now.</param>
[MeshEvent("peer.updated", 1, StreamFamily.Peers)]
public sealed record PeerUpdated(PeerId Peer, PeerKind Kind, IReadOnlyList<IPEndPoint> Endpoints) : IMeshEvent;

/// <summary>A connection ended.</summary>
/// <param name="Connection">The connection's identity in this log.</param>
/// <param name="Peer">The peer.</param>
/// <param name="Reason">Why.</param>
/// <param name="BytesSent">Application bytes sent on it.</param>
/// <param name="BytesReceived">Application bytes received on it.</param>
/// <param name="MessagesSent">Messages sent on it.</param>
/// <param name="MessagesReceived">Messages received on it.</param>
/// <param name="Duration">From opened to closed; for <see cref="CloseReason.Crash"/> until the next start closed it.</param>
[MeshEvent("connection.closed", 1, StreamFamily.Peers)]
public sealed record ConnectionClosed(
    Guid Connection, PeerId Peer, CloseReason Reason, long BytesSent, long BytesReceived, long MessagesSent, long MessagesReceived,
    TimeSpan Duration) : IMeshEvent;

/// <summary>A peer is no longer joined.</summary>
/// <param name="Peer">The peer.</param>
/// <param name="Reason">Why its last connection ended.</param>
[MeshEvent("peer.left", 1, StreamFamily.Peers)]
public sealed record PeerLeft(PeerId Peer, CloseReason Reason) : IMeshEvent;

/// <summary>Strangers were refused: a summary, so that nobody can fill the log.</summary>
/// <param name="Prefix">The source prefix, /32 for IPv4 and /56 for IPv6.</param>
/// <param name="Error">Why.</param>
/// <param name="Count">How many in the last minute.</param>
[MeshEvent("peer.inbound-refused", 1, StreamFamily.Peers)]
public sealed record InboundRefused(string Prefix, MeshError Error, int Count) : IMeshEvent;

/// <summary>Who dialled a connection.</summary>
public enum ConnectionDirection
{
    /// <summary>We dialled.</summary>
    Outbound,

    /// <summary>The peer dialled.</summary>
    Inbound,
}

/// <summary>How the address of a peer was known.</summary>
public enum DiscoverySource
{
    /// <summary>A hard-coded contact of the configuration.</summary>
    Contact,

    /// <summary>The bootstrap cache.</summary>
    Cache,

    /// <summary>Another peer told us.</summary>
    PeerExchange,

    /// <summary>The peer dialled us.</summary>
    Inbound,

    /// <summary>An operator, the application or a plugin asked for it.</summary>
    Request,
}

/// <summary>Why a connection ended.</summary>
public enum CloseReason
{
    /// <summary>We asked for it.</summary>
    Local,

    /// <summary>The peer asked for it.</summary>
    Remote,

    /// <summary>This node stopped.</summary>
    Shutdown,

    /// <summary>The peer told us that it stops.</summary>
    PeerShutdown,

    /// <summary>Nothing was heard for the idle time.</summary>
    Idle,

    /// <summary>The network or the peer broke it.</summary>
    Lost,

    /// <summary>Another connection with the same peer took its place.</summary>
    Replaced,

    /// <summary>The peer broke the protocol.</summary>
    ProtocolViolation,

    /// <summary>The reverse check failed.</summary>
    ReverseCheckFailed,

    /// <summary>The process ended without closing it; written by the next start.</summary>
    Crash,

    /// <summary>The peer or its address was blocked.</summary>
    Blocked,

    /// <summary>The peer went beyond a limit on its rate.</summary>
    RateLimited,

    /// <summary>One side had more peers than its high watermark, and this was one of the least useful to it.</summary>
    Trimmed,
}
