using System.Net;
using EventMesh.Identity;

namespace EventMesh.Events;

/// <summary>A node entered the bootstrap cache.</summary>
/// <param name="Peer">The node.</param>
/// <param name="Endpoints">Where it can be dialled, the proven one first.</param>
/// <param name="Certificate">Its certificate, DER.</param>
/// <param name="Origin">Who dialled whom first.</param>
[MeshEvent("cache.entry-added", 1, StreamFamily.Cache)]
public sealed record CacheEntryAdded(PeerId Peer, IReadOnlyList<IPEndPoint> Endpoints, byte[] Certificate, ConnectionDirection Origin) : IMeshEvent;

/// <summary>A cached node was connected again and moved to the top.</summary>
/// <param name="Peer">The node.</param>
/// <param name="Endpoints">Where it can be dialled now.</param>
/// <param name="Certificate">Its certificate now, DER.</param>
[MeshEvent("cache.entry-refreshed", 1, StreamFamily.Cache)]
public sealed record CacheEntryRefreshed(PeerId Peer, IReadOnlyList<IPEndPoint> Endpoints, byte[] Certificate) : IMeshEvent;

/// <summary>A cached node was reached by somebody else too, or by us after a silence.</summary>
/// <param name="Peer">The node.</param>
/// <param name="By">The peer that reached it; null for ourselves.</param>
[MeshEvent("cache.entry-confirmed", 1, StreamFamily.Cache)]
public sealed record CacheEntryConfirmed(PeerId Peer, PeerId? By) : IMeshEvent;

/// <summary>A node left the bootstrap cache.</summary>
/// <param name="Peer">The node.</param>
/// <param name="Reason">Why.</param>
[MeshEvent("cache.entry-evicted", 1, StreamFamily.Cache)]
public sealed record CacheEntryEvicted(PeerId Peer, EvictionReason Reason) : IMeshEvent;

/// <summary>Why a node left the bootstrap cache.</summary>
public enum EvictionReason
{
    /// <summary>200 others were connected more recently.</summary>
    Capacity,

    /// <summary>It failed 5 dials in a row.</summary>
    Failures,

    /// <summary>An operator removed it.</summary>
    ByHand,

    /// <summary>8 others of its network, a globally routable /24 or /48, were connected more recently.</summary>
    Prefix,

    /// <summary>100 others that had dialled us first were connected more recently.</summary>
    Inbound,

    /// <summary>An operator blocked the node or its network.</summary>
    Blocked,

    /// <summary>It is joined, and can't be dialled any more: it became a client.</summary>
    NotReachable,
}
