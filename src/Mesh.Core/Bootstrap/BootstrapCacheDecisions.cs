using System.Net;
using EventMesh.Events;
using EventMesh.Identity;
using EventMesh.Journal;
using EventMesh.Projections;

namespace EventMesh.Bootstrap;

/// <summary>
/// What happens to the bootstrap cache. Pure functions for <see cref="IEventJournal.Decide"/>, whose indivisible unit makes the eviction and
/// the addition one step: the cache never holds more than <see cref="BootstrapCacheState.Capacity"/> nodes, not even in between.
/// </summary>
public static class BootstrapCacheDecisions
{
    /// <summary>How many dials in a row a cached node may fail before it is evicted: 5.</summary>
    public const int MaxFailures = 5;

    /// <summary>
    /// A node was connected and proven reachable: it moves to the top of the cache, or enters it in the place of the least recently
    /// connected one. Not for hard-coded contacts and clients, which are never cached.
    /// </summary>
    /// <param name="state">The node's state.</param>
    /// <param name="peer">The proven node.</param>
    /// <param name="endpoints">Where it can be dialled, the proven one first; at least one.</param>
    /// <param name="certificate">Its certificate, DER.</param>
    /// <param name="origin">Who dialled whom first.</param>
    /// <exception cref="ArgumentException">There is no endpoint.</exception>
    public static IReadOnlyList<IMeshEvent> Connected(
        MeshState state, PeerId peer, IReadOnlyList<IPEndPoint> endpoints, byte[] certificate, ConnectionDirection origin)
    {
        ArgumentNullException.ThrowIfNull(state);
        ArgumentNullException.ThrowIfNull(endpoints);
        ArgumentNullException.ThrowIfNull(certificate);
        if (endpoints.Count == 0)
            throw new ArgumentException("A node without an endpoint can't be dialled.", nameof(endpoints));
        if (state.Cache.Entries.ContainsKey(peer))
            return [new CacheEntryRefreshed(peer, endpoints, certificate)];
        return [.. Trim(state.Cache, BootstrapCacheState.Capacity - 1), new CacheEntryAdded(peer, endpoints, certificate, origin)];
    }

    /// <summary>
    /// A dial failed: the failure itself, and the eviction of the node that was expected there if it was its fifth in a row.
    /// </summary>
    public static IReadOnlyList<IMeshEvent> Failed(MeshState state, DialFailed failure)
    {
        ArgumentNullException.ThrowIfNull(state);
        ArgumentNullException.ThrowIfNull(failure);
        return failure.Expected is { } peer && state.Cache.Entries.TryGetValue(peer, out BootstrapCacheEntry? entry) && entry.Failures + 1 >= MaxFailures
            ? [failure, new CacheEntryEvicted(peer, EvictionReason.Failures)]
            : [failure];
    }

    /// <summary>Somebody else, or we after a silence, have reached a node; nothing when it is not cached or confirmed already.</summary>
    /// <param name="state">The node's state.</param>
    /// <param name="peer">The node that was reached.</param>
    /// <param name="by">The peer that reached it; null for ourselves.</param>
    public static IReadOnlyList<IMeshEvent> Confirmed(MeshState state, PeerId peer, PeerId? by)
    {
        ArgumentNullException.ThrowIfNull(state);
        return state.Cache.Entries.TryGetValue(peer, out BootstrapCacheEntry? entry) && !entry.IsConfirmed
            ? [new CacheEntryConfirmed(peer, by)]
            : [];
    }

    /// <summary>An operator removes a node; nothing when it is not cached.</summary>
    public static IReadOnlyList<IMeshEvent> Removed(MeshState state, PeerId peer)
    {
        ArgumentNullException.ThrowIfNull(state);
        return state.Cache.Entries.ContainsKey(peer) ? [new CacheEntryEvicted(peer, EvictionReason.ByHand)] : [];
    }

    /// <summary>At start: evicts what is above the capacity, which an older program or a smaller capacity may have left.</summary>
    public static IReadOnlyList<IMeshEvent> TrimToCapacity(MeshState state)
    {
        ArgumentNullException.ThrowIfNull(state);
        return Trim(state.Cache, BootstrapCacheState.Capacity);
    }

    private static IReadOnlyList<IMeshEvent> Trim(BootstrapCacheState cache, int capacity) =>
        cache.Entries.Count <= capacity
            ? []
            : [.. cache.NewestFirst().Skip(capacity).Select(entry => new CacheEntryEvicted(entry.Peer, EvictionReason.Capacity))];
}
