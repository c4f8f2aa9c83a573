using System.Net;
using EventMesh.Transport.InMemory.Internal;

namespace EventMesh.Transport.InMemory;

/// <summary>A network of sockets in this process, for tests and for simulations of thousands of nodes.</summary>
/// <remarks>
/// Every address exists: an endpoint may bind to any unicast address, which stands for a machine of its own. An endpoint on 0.0.0.0 or
/// [::] takes what no other endpoint is bound to, and sends from the loopback address. IPv4-mapped addresses are IPv4 ones.
/// All members may be called at any time.
/// </remarks>
public sealed class InMemoryNetwork
{
    private const int FirstDynamicPort = 49152;

    private readonly Lock _mutex = new();
    private readonly Dictionary<IPEndPoint, InMemoryEndpoint> _endpoints = [];
    private readonly Dictionary<IPAddress, int> _nextPorts = [];
    private readonly Action<PacketTrace>? _observer;

    /// <summary>Makes a network with perfect links on the system's clock.</summary>
    public InMemoryNetwork()
        : this(new InMemoryNetworkOptions())
    {
    }

    /// <summary>Makes a network.</summary>
    public InMemoryNetwork(InMemoryNetworkOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        Check(options.DefaultLink, nameof(options));
        Seed = (ulong)options.Seed;
        Scheduler = Scheduler.For(options.TimeProvider);
        Links = new LinkTable(options.DefaultLink);
        _observer = options.Observer;
    }

    /// <summary>The time since the network was made, on its clock.</summary>
    public TimeSpan Elapsed => TimeSpan.FromTicks(Scheduler.Now);

    internal ulong Seed { get; }

    internal Scheduler Scheduler { get; }

    internal LinkTable Links { get; }

    /// <summary>Sets the conditions between two addresses, both ways.</summary>
    /// <param name="first">One address; port 0 means all its ports.</param>
    /// <param name="second">The other address; port 0 means all its ports.</param>
    /// <param name="conditions">The conditions; null for those of <see cref="InMemoryNetworkOptions.DefaultLink"/>.</param>
    /// <remarks>An entry with a port goes before one without.</remarks>
    public void SetLink(IPEndPoint first, IPEndPoint second, LinkConditions? conditions)
    {
        SetOneWayLink(first, second, conditions);
        SetOneWayLink(second, first, conditions);
    }

    /// <summary>Sets the conditions from one address to another.</summary>
    /// <inheritdoc cref="SetLink(IPEndPoint, IPEndPoint, LinkConditions?)"/>
    public void SetOneWayLink(IPEndPoint first, IPEndPoint second, LinkConditions? conditions)
    {
        ArgumentNullException.ThrowIfNull(first);
        ArgumentNullException.ThrowIfNull(second);
        if (conditions is not null)
            Check(conditions, nameof(conditions));
        Links.Set(Addresses.Normalize(first), Addresses.Normalize(second), conditions);
    }

    /// <summary>Lets no packet through between two addresses, also those under way, until <see cref="Heal"/>.</summary>
    /// <param name="first">One address; port 0 means all its ports.</param>
    /// <param name="second">The other address; port 0 means all its ports.</param>
    public void Partition(IPEndPoint first, IPEndPoint second) => Cut(first, second, cut: true);

    /// <summary>Ends a <see cref="Partition"/> of the same two addresses.</summary>
    /// <param name="first">One address, as given to <see cref="Partition"/>.</param>
    /// <param name="second">The other address, as given to <see cref="Partition"/>.</param>
    public void Heal(IPEndPoint first, IPEndPoint second) => Cut(first, second, cut: false);

    /// <summary>Lets no packet to or from an address through until <see cref="Rejoin"/>.</summary>
    /// <param name="node">The address; port 0 means all its ports.</param>
    public void Isolate(IPEndPoint node)
    {
        ArgumentNullException.ThrowIfNull(node);
        Links.Isolate(Addresses.Normalize(node), isolate: true);
    }

    /// <summary>Ends an <see cref="Isolate"/> of the same address.</summary>
    /// <param name="node">The address as given to <see cref="Isolate"/>.</param>
    public void Rejoin(IPEndPoint node)
    {
        ArgumentNullException.ThrowIfNull(node);
        Links.Isolate(Addresses.Normalize(node), isolate: false);
    }

    /// <summary>Ends all partitions and isolations; link conditions stay.</summary>
    public void HealAll() => Links.HealAll();

    internal InMemoryEndpoint Bind(InMemoryTransport transport, TransportEndpointOptions options)
    {
        IPEndPoint wanted = Addresses.Normalize(options.LocalEndPoint);
        if (IsMulticast(wanted.Address))
            throw new MeshException(MeshError.AddressNotAvailable, $"{wanted} is a multicast address; bind to a unicast one.");
        lock (_mutex)
        {
            IPEndPoint local = wanted.Port != 0 ? wanted : new IPEndPoint(wanted.Address, FreePort(wanted.Address));
            var endpoint = new InMemoryEndpoint(transport, options with { LocalEndPoint = local });
            if (!_endpoints.TryAdd(local, endpoint))
                throw new MeshException(MeshError.AddressInUse, $"{local} is in use by another endpoint of this network.");
            return endpoint;
        }
    }

    internal void Unbind(InMemoryEndpoint endpoint)
    {
        lock (_mutex)
        {
            if (_endpoints.TryGetValue(endpoint.LocalEndPoint, out InMemoryEndpoint? current) && current == endpoint)
                _endpoints.Remove(endpoint.LocalEndPoint);
        }
    }

    internal InMemoryEndpoint? Find(IPEndPoint address)
    {
        lock (_mutex)
        {
            return _endpoints.TryGetValue(address, out InMemoryEndpoint? endpoint)
                || _endpoints.TryGetValue(new IPEndPoint(IPAddress.Any, address.Port), out endpoint)
                || _endpoints.TryGetValue(new IPEndPoint(IPAddress.IPv6Any, address.Port), out endpoint) ? endpoint : null;
        }
    }

    internal void Trace(Packet packet, PacketFate fate) =>
        _observer?.Invoke(new PacketTrace(Elapsed, packet.From, packet.To, packet.Kind.ToString(), packet.Size, fate));

    private void Cut(IPEndPoint first, IPEndPoint second, bool cut)
    {
        ArgumentNullException.ThrowIfNull(first);
        ArgumentNullException.ThrowIfNull(second);
        first = Addresses.Normalize(first);
        second = Addresses.Normalize(second);
        Links.Cut(first, second, cut);
        Links.Cut(second, first, cut);
    }

    private int FreePort(IPAddress address)
    {
        int count = IPEndPoint.MaxPort - FirstDynamicPort + 1;
        int next = _nextPorts.GetValueOrDefault(address, FirstDynamicPort);
        for (int i = 0; i < count; i++)
        {
            int port = next;
            next = next == IPEndPoint.MaxPort ? FirstDynamicPort : next + 1;
            if (!_endpoints.ContainsKey(new IPEndPoint(address, port)))
            {
                _nextPorts[address] = next;
                return port;
            }
        }
        throw new MeshException(MeshError.AddressInUse, $"All dynamic ports of {address} are in use in this network.");
    }

    private static bool IsMulticast(IPAddress address) =>
        address.IsIPv6Multicast || (address.AddressFamily == System.Net.Sockets.AddressFamily.InterNetwork && address.GetAddressBytes()[0] is >= 224);

    private static void Check(LinkConditions link, string parameter)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(link.Latency, TimeSpan.Zero, parameter);
        ArgumentOutOfRangeException.ThrowIfLessThan(link.Jitter, TimeSpan.Zero, parameter);
        ThrowIfNotShare(link.Loss, parameter);
        ThrowIfNotShare(link.Reordering, parameter);
    }

    private static void ThrowIfNotShare(double share, string parameter)
    {
        // Written so that it holds for NaN too.
        if (!(share >= 0 && share <= 1))
            throw new ArgumentOutOfRangeException(parameter, share, "Loss and reordering are shares from 0 to 1.");
    }
}
