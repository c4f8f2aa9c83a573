using System.Net;
using EventMesh.Events;
using EventMesh.Projections;
using EventMesh.Trust;
using EventMesh.Wire;

namespace EventMesh.Bootstrap.Internal;

/// <summary>Counts cache entries against the limits, for one decision.</summary>
internal sealed class CacheCensus(int maxPerPrefix)
{
    private readonly Dictionary<IPNetwork, int> _networks = [];
    private int _count;
    private int _inbound;

    /// <summary>Why there is no room for an entry; null when there is.</summary>
    public EvictionReason? Excess(IReadOnlyList<IPEndPoint> endpoints, ConnectionDirection origin)
    {
        if (Networks(endpoints).Any(network => _networks.GetValueOrDefault(network) >= maxPerPrefix)) return EvictionReason.Prefix;
        if (origin == ConnectionDirection.Inbound && _inbound >= BootstrapCacheDecisions.MaxInbound) return EvictionReason.Inbound;
        return _count >= BootstrapCacheState.Capacity ? EvictionReason.Capacity : null;
    }

    public void Add(IReadOnlyList<IPEndPoint> endpoints, ConnectionDirection origin)
    {
        _count++;
        if (origin == ConnectionDirection.Inbound) _inbound++;
        foreach (IPNetwork network in Networks(endpoints)) _networks[network] = _networks.GetValueOrDefault(network) + 1;
    }

    private static IEnumerable<IPNetwork> Networks(IReadOnlyList<IPEndPoint> endpoints) =>
        endpoints.Where(endpoint => AddressScope.IsGlobal(endpoint.Address)).Select(endpoint => AddressPrefix.NetworkOf(endpoint.Address)).Distinct();
}
