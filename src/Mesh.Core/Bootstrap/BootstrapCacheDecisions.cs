using System.Net;
using EventMesh.Bootstrap.Internal;
using EventMesh.Events;
using EventMesh.Identity;
using EventMesh.Journal;
using EventMesh.Projections;
using EventMesh.Trust;
using EventMesh.Wire;

namespace EventMesh.Bootstrap;

/// <summary>
/// What happens to the bootstrap cache. Pure functions for <see cref="IEventJournal.Decide"/>, whose indivisible unit makes the eviction and
/// the addition one step: no limit is exceeded, not even in between. docs/membership.md gives the reasons for the numbers.
/// </summary>
public static class BootstrapCacheDecisions
{
    /// <summary>How many dials in a row a cached node may fail before it is evicted: 5.</summary>
    public const int MaxFailures = 5;

    /// <summary>How many cached nodes may have dialled us first: 100, half of the capacity.</summary>
    public const int MaxInbound = 100;

    /// <summary>How many cached nodes may be in one globally routable network, /24 or /48, unless the operator allows more: 8.</summary>
    public const int DefaultMaxPerPrefix = 8;

    private static readonly TimeSpan FirstRetry = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan LongestRetry = TimeSpan.FromHours(1);

    /// <summary>
    /// A node was connected and proven reachable: it moves to the top of the cache, or enters it in the place of the least recently
    /// connected one. Not for hard-coded contacts and clients, which are never cached.
    /// </summary>
    /// <param name="state">The node's state.</param>
    /// <param name="peer">The proven node.</param>
    /// <param name="endpoints">Where it can be dialled, the proven one first; at least one.</param>
    /// <param name="certificate">Its certificate, DER.</param>
    /// <param name="origin">Who dialled whom first.</param>
    /// <param name="maxPerPrefix">How many nodes of one globally routable network may be cached.</param>
    /// <exception cref="ArgumentException">There is no endpoint.</exception>
    public static IReadOnlyList<IMeshEvent> Connected(
        MeshState state, PeerId peer, IReadOnlyList<IPEndPoint> endpoints, byte[] certificate, ConnectionDirection origin,
        int maxPerPrefix = DefaultMaxPerPrefix)
    {
        ArgumentNullException.ThrowIfNull(state);
        ArgumentNullException.ThrowIfNull(endpoints);
        ArgumentNullException.ThrowIfNull(certificate);
        if (endpoints.Count == 0)
            throw new ArgumentException("A node without an endpoint can't be dialled.", nameof(endpoints));
        bool isKnown = state.Cache.Entries.ContainsKey(peer);
        var others = new CacheCensus(maxPerPrefix);
        // The node itself comes first: of the others, the most recently connected that fit beside it stay.
        others.Add(endpoints, isKnown ? state.Cache.Entries[peer].Origin : origin);
        return
        [
            .. Overflow(others, state.Cache.NewestFirst().Where(entry => entry.Peer != peer)),
            isKnown ? new CacheEntryRefreshed(peer, endpoints, certificate) : new CacheEntryAdded(peer, endpoints, certificate, origin),
        ];
    }

    /// <summary>
    /// A dial failed: the failure itself, and the eviction of the node that was expected there if it was its fifth in a row. While nobody is joined
    /// nothing is evicted: our own network may be down, and an outage of it must not empty the cache.
    /// </summary>
    public static IReadOnlyList<IMeshEvent> Failed(MeshState state, DialFailed failure)
    {
        ArgumentNullException.ThrowIfNull(state);
        ArgumentNullException.ThrowIfNull(failure);
        return failure.Expected is { } peer && BootstrapCacheState.CountsAgainst(failure.Error) && !state.Peers.Joined.IsEmpty
            && state.Cache.Entries.TryGetValue(peer, out BootstrapCacheEntry? entry) && entry.Failures + 1 >= MaxFailures
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

    /// <summary>
    /// A joined peer told of a cached node at an endpoint, which it tells only of nodes that it has reached itself. Taken as its confirmation when it
    /// told the endpoint that we have proven and is in another network than the node: one owner must not vouch for himself that easily.
    /// </summary>
    /// <param name="state">The node's state.</param>
    /// <param name="peer">The node that was told of.</param>
    /// <param name="endpoint">Where the teller has reached it.</param>
    /// <param name="by">The teller.</param>
    /// <param name="byAddress">The address of the teller as we see it.</param>
    public static IReadOnlyList<IMeshEvent> ToldOf(MeshState state, PeerId peer, IPEndPoint endpoint, PeerId by, IPAddress byAddress)
    {
        ArgumentNullException.ThrowIfNull(state);
        ArgumentNullException.ThrowIfNull(endpoint);
        ArgumentNullException.ThrowIfNull(byAddress);
        return peer != by && state.Cache.Entries.TryGetValue(peer, out BootstrapCacheEntry? entry) && entry.Endpoints.Contains(endpoint)
            && (!AddressScope.IsGlobal(endpoint.Address) || AddressPrefix.NetworkOf(endpoint.Address) != AddressPrefix.NetworkOf(byAddress))
                ? Confirmed(state, peer, by)
                : [];
    }

    /// <summary>A joined node became a client, since it can't be dialled any more; nothing when it is not cached, or is no joined client by now.</summary>
    public static IReadOnlyList<IMeshEvent> Downgraded(MeshState state, PeerId peer)
    {
        ArgumentNullException.ThrowIfNull(state);
        return state.Cache.Entries.ContainsKey(peer) && state.Peers.Joined.TryGetValue(peer, out JoinedPeer? joined) && joined.Kind == PeerKind.Client
            ? [new CacheEntryEvicted(peer, EvictionReason.NotReachable)]
            : [];
    }

    /// <summary>An operator removes a node; nothing when it is not cached.</summary>
    public static IReadOnlyList<IMeshEvent> Removed(MeshState state, PeerId peer)
    {
        ArgumentNullException.ThrowIfNull(state);
        return state.Cache.Entries.ContainsKey(peer) ? [new CacheEntryEvicted(peer, EvictionReason.ByHand)] : [];
    }

    /// <summary>
    /// An operator brings in nodes from another cache. They fill what is free and drive nobody out: what we have proven ourselves counts for more.
    /// </summary>
    /// <param name="state">The node's state.</param>
    /// <param name="records">The nodes, the most recently connected first.</param>
    /// <param name="maxPerPrefix">How many nodes of one globally routable network may be cached.</param>
    public static IReadOnlyList<IMeshEvent> Imported(MeshState state, IReadOnlyList<CacheRecord> records, int maxPerPrefix = DefaultMaxPerPrefix)
    {
        ArgumentNullException.ThrowIfNull(state);
        ArgumentNullException.ThrowIfNull(records);
        var census = new CacheCensus(maxPerPrefix);
        foreach (BootstrapCacheEntry entry in state.Cache.Entries.Values) census.Add(entry.Endpoints, entry.Origin);
        List<CacheRecord> taken = [];
        foreach (CacheRecord record in records.DistinctBy(record => record.Peer))
        {
            if (state.Cache.Entries.ContainsKey(record.Peer) || census.Excess(record.Endpoints, ConnectionDirection.Outbound) is not null) continue;
            census.Add(record.Endpoints, ConnectionDirection.Outbound);
            taken.Add(record);
        }
        // The last one added is the first of the cache.
        taken.Reverse();
        return [.. taken.Select(record => new CacheEntryAdded(record.Peer, record.Endpoints, record.Certificate, ConnectionDirection.Outbound))];
    }

    /// <summary>At start: evicts what is above the limits, which an older program or other settings may have left.</summary>
    /// <param name="state">The node's state.</param>
    /// <param name="maxPerPrefix">How many nodes of one globally routable network may be cached.</param>
    public static IReadOnlyList<IMeshEvent> TrimToCapacity(MeshState state, int maxPerPrefix = DefaultMaxPerPrefix)
    {
        ArgumentNullException.ThrowIfNull(state);
        return [.. Overflow(new CacheCensus(maxPerPrefix), state.Cache.NewestFirst())];
    }

    /// <summary>How long a node is left alone after its failures in a row: 30 s, four times as long after each further one, at most 1 h.</summary>
    /// <param name="failures">Failed dials in a row.</param>
    public static TimeSpan RetryDelay(int failures) => failures switch
    {
        <= 0 => TimeSpan.Zero,
        > 5 => LongestRetry,
        _ => TimeSpan.FromTicks(Math.Min(FirstRetry.Ticks << (2 * (failures - 1)), LongestRetry.Ticks)),
    };

    /// <summary>Whether a cached node may be dialled without need: it has not failed a short time ago.</summary>
    /// <param name="entry">The node.</param>
    /// <param name="now">The time.</param>
    public static bool IsDue(BootstrapCacheEntry entry, DateTimeOffset now)
    {
        ArgumentNullException.ThrowIfNull(entry);
        return entry.LastFailedAt is not { } failedAt || now - failedAt >= RetryDelay(entry.Failures);
    }

    /// <summary>
    /// The node that a feeler tries: one that is not joined and has not failed a short time ago, by chance, and every second time one that is only
    /// probed, while there are any.
    /// </summary>
    /// <param name="state">The node's state.</param>
    /// <param name="now">The time.</param>
    /// <param name="choice">A random number, 0 to 1 without 1.</param>
    public static BootstrapCacheEntry? Feeler(MeshState state, DateTimeOffset now, double choice)
    {
        ArgumentNullException.ThrowIfNull(state);
        BootstrapCacheEntry[] due = [.. state.Cache.NewestFirst().Where(entry => !state.Peers.Joined.ContainsKey(entry.Peer) && IsDue(entry, now))];
        BootstrapCacheEntry[] probed = [.. due.Where(entry => !entry.IsConfirmed)];
        // One number for both choices: its half says from which, the place within the half says whom.
        (BootstrapCacheEntry[] among, double place) = choice < 0.5 && probed.Length > 0 ? (probed, choice * 2) : (due, choice * 2 % 1);
        return among.Length == 0 ? null : among[(int)(place * among.Length)];
    }

    /// <summary>Counts the entries in, one after another, and evicts those for which there is no room.</summary>
    private static IEnumerable<IMeshEvent> Overflow(CacheCensus census, IEnumerable<BootstrapCacheEntry> newestFirst)
    {
        foreach (BootstrapCacheEntry entry in newestFirst)
        {
            if (census.Excess(entry.Endpoints, entry.Origin) is { } reason) yield return new CacheEntryEvicted(entry.Peer, reason);
            else census.Add(entry.Endpoints, entry.Origin);
        }
    }
}
