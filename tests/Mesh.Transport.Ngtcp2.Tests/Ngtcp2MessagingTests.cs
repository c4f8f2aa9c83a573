using EventMesh.Conformance.Sessions;
using Xunit;

namespace EventMesh.Transport.Ngtcp2.Tests;

internal static class SupportedProvider
{
    public static ITransportProvider Create()
    {
        var provider = new Ngtcp2TransportProvider();
        TransportSupport support = provider.Probe();
        if (!support.IsSupported)
            Assert.Skip($"{support.Detail} {support.Remedy}");
        return provider;
    }
}

public sealed class Ngtcp2DeliveryTests : DeliveryConformanceTests
{
    protected override ITransportProvider CreateProvider() => SupportedProvider.Create();
}

public sealed class Ngtcp2OrderedChannelTests : OrderedChannelConformanceTests
{
    protected override ITransportProvider CreateProvider() => SupportedProvider.Create();
}

public sealed class Ngtcp2LargeMessageTests : LargeMessageConformanceTests
{
    protected override ITransportProvider CreateProvider() => SupportedProvider.Create();
}
