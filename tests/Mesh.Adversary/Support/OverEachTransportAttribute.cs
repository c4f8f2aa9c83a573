using System.Reflection;
using EventMesh.Tests.Common.Nodes;
using EventMesh.Transport;
using EventMesh.Transport.InMemory;
using EventMesh.Transport.Ngtcp2;
using Xunit;
using Xunit.Sdk;
using Xunit.v3;

namespace EventMesh.Adversary.Support;

/// <summary>Runs a test over the network in memory and over real QUIC.</summary>
[AttributeUsage(AttributeTargets.Method)]
internal sealed class OverEachTransportAttribute : DataAttribute
{
    public const string InMemory = "inmemory";
    public const string Ngtcp2 = "ngtcp2";

    public override ValueTask<IReadOnlyCollection<ITheoryDataRow>> GetData(MethodInfo testMethod, DisposalTracker disposalTracker) =>
        ValueTask.FromResult<IReadOnlyCollection<ITheoryDataRow>>([new TheoryDataRow<string>(InMemory), new TheoryDataRow<string>(Ngtcp2)]);

    public override bool SupportsDiscoveryEnumeration() => true;

    /// <summary>A provider for one test, or a skip where its library is missing.</summary>
    public static ITransportProvider CreateProvider(string transport)
    {
        if (transport == InMemory) return new InMemoryTransportProvider(new InMemoryNetwork());
        var provider = new Ngtcp2TransportProvider();
        TransportSupport support = provider.Probe();
        if (!support.IsSupported) Assert.Skip($"{support.Detail} {support.Remedy}");
        return provider;
    }
}
