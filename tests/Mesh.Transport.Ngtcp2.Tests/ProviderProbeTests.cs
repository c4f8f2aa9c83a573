using EventMesh.Node;
using Microsoft.Extensions.DependencyInjection;
using Shouldly;
using Xunit;

namespace EventMesh.Transport.Ngtcp2.Tests;

public sealed class ProviderProbeTests
{
    [Fact]
    public void Probe_names_the_version_or_the_packages_to_install()
    {
        TransportSupport support = new Ngtcp2TransportProvider().Probe();

        if (support.IsSupported)
        {
            support.Detail.ShouldContain("libngtcp2 1.");
            support.Remedy.ShouldBeNull();
        }
        else
        {
            support.Remedy.ShouldNotBeNull().ShouldContain("libngtcp2-16");
        }
    }

    [Fact]
    public void Registration_adds_the_provider_once()
    {
        var builder = new Builder();

        builder.AddNgtcp2().AddNgtcp2();

        ServiceDescriptor descriptor = builder.Services.ShouldHaveSingleItem();
        (descriptor.ServiceType, descriptor.ImplementationType, descriptor.Lifetime)
            .ShouldBe((typeof(ITransportProvider), typeof(Ngtcp2TransportProvider), ServiceLifetime.Singleton));
        var provider = new Ngtcp2TransportProvider();
        (provider.Name, provider.Order).ShouldBe(("ngtcp2", 0));
    }

    private sealed class Builder : IMeshBuilder
    {
        public IServiceCollection Services { get; } = new ServiceCollection();
    }
}
