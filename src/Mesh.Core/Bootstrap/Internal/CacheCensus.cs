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
        for (int i = 0; i < endpoints.Count; i++)
        {
            if (NetworkOf(endpoints[i]) is { } network && _networks.GetValueOrDefault(network) >= maxPerPrefix) return EvictionReason.Prefix;
        }
        if (origin == ConnectionDirection.Inbound && _inbound >= BootstrapCacheDecisions.MaxInbound) return EvictionReason.Inbound;
        return _count >= BootstrapCacheState.Capacity ? EvictionReason.Capacity : null;
    }

    public void Add(IReadOnlyList<IPEndPoint> endpoints, ConnectionDirection origin)
    {
        _count++;
        if (origin == ConnectionDirection.Inbound) _inbound++;
        for (int i = 0; i < endpoints.Count; i++)
        {
            // An entry counts once in each of its networks.
            if (NetworkOf(endpoints[i]) is { } network && !IsBefore(endpoints, i, network))
                _networks[network] = _networks.GetValueOrDefault(network) + 1;
        }
    }

    private static bool IsBefore(IReadOnlyList<IPEndPoint> endpoints, int end, IPNetwork network)
    {
        for (int i = 0; i < end; i++)
        {
            if (NetworkOf(endpoints[i]) == network) return true;
        }
        return false;
    }

    /// <summary>The network that an endpoint is counted in; null when its address is not globally routable.</summary>
    private static IPNetwork? NetworkOf(IPEndPoint endpoint) =>
        AddressScope.IsGlobal(endpoint.Address) ? AddressPrefix.NetworkOf(endpoint.Address) : null;
}
