using System.Net;

namespace EventMesh.Transport.InMemory.Internal;

/// <summary>Conditions and partitions by pair of addresses; port 0 stands for all ports of an address.</summary>
internal sealed class LinkTable(LinkConditions defaults)
{
    private readonly Lock _mutex = new();
    private readonly Dictionary<(IPEndPoint From, IPEndPoint To), LinkConditions> _links = [];
    private readonly HashSet<(IPEndPoint From, IPEndPoint To)> _partitions = [];
    private readonly HashSet<IPEndPoint> _isolated = [];
    // Most networks set nothing: then a packet costs no look-up.
    private volatile bool _isPlain = true;

    public LinkConditions Conditions(IPEndPoint from, IPEndPoint to)
    {
        if (_isPlain)
            return defaults;
        lock (_mutex)
        {
            if (_links.Count == 0)
                return defaults;
            IPEndPoint anyFrom = AnyPort(from);
            IPEndPoint anyTo = AnyPort(to);
            return _links.TryGetValue((from, to), out LinkConditions? link) || _links.TryGetValue((from, anyTo), out link)
                || _links.TryGetValue((anyFrom, to), out link) || _links.TryGetValue((anyFrom, anyTo), out link) ? link : defaults;
        }
    }

    public bool IsPartitioned(IPEndPoint from, IPEndPoint to)
    {
        if (_isPlain)
            return false;
        lock (_mutex)
        {
            if (_partitions.Count == 0 && _isolated.Count == 0)
                return false;
            IPEndPoint anyFrom = AnyPort(from);
            IPEndPoint anyTo = AnyPort(to);
            return _isolated.Contains(from) || _isolated.Contains(to) || _isolated.Contains(anyFrom) || _isolated.Contains(anyTo)
                || _partitions.Contains((from, to)) || _partitions.Contains((from, anyTo))
                || _partitions.Contains((anyFrom, to)) || _partitions.Contains((anyFrom, anyTo));
        }
    }

    public void Set(IPEndPoint from, IPEndPoint to, LinkConditions? conditions) => Change(() =>
    {
        if (conditions is null)
            _links.Remove((from, to));
        else
            _links[(from, to)] = conditions;
    });

    public void Cut(IPEndPoint from, IPEndPoint to, bool cut) => Change(() => _ = cut ? _partitions.Add((from, to)) : _partitions.Remove((from, to)));

    public void Isolate(IPEndPoint node, bool isolate) => Change(() => _ = isolate ? _isolated.Add(node) : _isolated.Remove(node));

    public void HealAll() => Change(() =>
    {
        _partitions.Clear();
        _isolated.Clear();
    });

    private void Change(Action change)
    {
        lock (_mutex)
        {
            change();
            _isPlain = _links.Count == 0 && _partitions.Count == 0 && _isolated.Count == 0;
        }
    }

    private static IPEndPoint AnyPort(IPEndPoint endPoint) => new(endPoint.Address, 0);
}
