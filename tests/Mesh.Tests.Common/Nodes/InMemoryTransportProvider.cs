using EventMesh.Transport;
using EventMesh.Transport.InMemory;

namespace EventMesh.Tests.Common.Nodes;

/// <summary>Offers the in-memory network before all real providers.</summary>
public sealed class InMemoryTransportProvider(InMemoryNetwork network) : ITransportProvider
{
    public string Name => "inmemory";

    public int Order => -1;

    public TransportSupport Probe() => new(IsSupported: true, "in memory", Remedy: null);

    public ITransport Create() => new InMemoryTransport(network);
}
