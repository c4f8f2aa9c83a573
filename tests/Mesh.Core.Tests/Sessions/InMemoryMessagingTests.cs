using EventMesh.Conformance.Sessions;
using EventMesh.Tests.Common.Nodes;
using EventMesh.Transport;
using EventMesh.Transport.InMemory;

namespace EventMesh.Core.Tests.Sessions;

public sealed class InMemoryDeliveryTests : DeliveryConformanceTests
{
    protected override ITransportProvider CreateProvider() => new InMemoryTransportProvider(new InMemoryNetwork());
}

public sealed class InMemoryOrderedChannelTests : OrderedChannelConformanceTests
{
    protected override ITransportProvider CreateProvider() => new InMemoryTransportProvider(new InMemoryNetwork());
}

public sealed class InMemoryLargeMessageTests : LargeMessageConformanceTests
{
    protected override ITransportProvider CreateProvider() => new InMemoryTransportProvider(new InMemoryNetwork());
}
