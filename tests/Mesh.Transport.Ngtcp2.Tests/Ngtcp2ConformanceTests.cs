using EventMesh.Conformance;
using Xunit;

namespace EventMesh.Transport.Ngtcp2.Tests;

internal static class Provider
{
    public static Ngtcp2Transport Create()
    {
        TransportSupport support = new Ngtcp2TransportProvider().Probe();
        if (!support.IsSupported)
            Assert.Skip($"{support.Detail} {support.Remedy}");
        return new Ngtcp2Transport();
    }
}

public sealed class Ngtcp2ConnectTests : TransportConnectConformanceTests
{
    protected override ITransport CreateTransport() => Provider.Create();
}

public sealed class Ngtcp2StreamTests : TransportStreamConformanceTests
{
    protected override ITransport CreateTransport() => Provider.Create();
}

public sealed class Ngtcp2FlowControlTests : TransportFlowControlConformanceTests
{
    protected override ITransport CreateTransport() => Provider.Create();
}

public sealed class Ngtcp2LifetimeTests : TransportLifetimeConformanceTests
{
    protected override ITransport CreateTransport() => Provider.Create();
}
