using EventMesh.Conformance;
using EventMesh.Transport;
using EventMesh.Transport.Quic;
using Shouldly;
using Xunit;

namespace EventMesh.Core.Tests.Transport;

internal static class MsQuic
{
    public static ITransport CreateOrSkip()
    {
        var provider = new QuicTransportProvider();
        TransportSupport support = provider.Probe();
        if (!support.IsSupported)
            Assert.Skip(support.Detail);
        return provider.Create();
    }
}

public sealed class QuicConnectTests : TransportConnectConformanceTests
{
    protected override ITransport CreateTransport() => MsQuic.CreateOrSkip();
}

public sealed class QuicStreamTests : TransportStreamConformanceTests
{
    protected override ITransport CreateTransport() => MsQuic.CreateOrSkip();
}

public sealed class QuicFlowControlTests : TransportFlowControlConformanceTests
{
    protected override ITransport CreateTransport() => MsQuic.CreateOrSkip();
}

public sealed class QuicLifetimeTests : TransportLifetimeConformanceTests
{
    protected override ITransport CreateTransport() => MsQuic.CreateOrSkip();
}

public sealed class QuicTransportProviderTests
{
    [Fact]
    public void Probe_names_the_library_and_the_remedy_when_it_is_missing()
    {
        var provider = new QuicTransportProvider();

        TransportSupport support = provider.Probe();

        support.Detail.ShouldContain("libmsquic");
        if (support.IsSupported)
            support.Remedy.ShouldBeNull();
        else
            support.Remedy.ShouldNotBeNullOrEmpty();
        (provider.Name, provider.Order).ShouldBe(("msquic", 1));
    }

    [Fact]
    public void Create_fails_with_the_reason_of_the_probe()
    {
        var provider = new QuicTransportProvider();
        TransportSupport support = provider.Probe();
        if (support.IsSupported)
            Assert.Skip("libmsquic is installed here.");

        MeshException exception = Should.Throw<MeshException>(provider.Create);

        exception.Error.ShouldBe(MeshError.TransportUnavailable);
        exception.Message.ShouldContain(support.Detail);
    }
}
