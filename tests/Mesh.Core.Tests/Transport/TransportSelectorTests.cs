using EventMesh.Transport;
using EventMesh.Transport.InMemory;
using Shouldly;
using Xunit;

namespace EventMesh.Core.Tests.Transport;

public sealed class TransportSelectorTests
{
    [Fact]
    public void Auto_takes_the_lowest_order_that_works()
    {
        var selector = new TransportSelector([new FakeProvider("msquic", 1), new FakeProvider("ngtcp2", 0)]);

        TransportSelection selection = selector.Select("auto");

        selection.Transport.ShouldBeSameAs(FakeProvider.TransportOf("ngtcp2"));
        selection.Reason.ShouldBe("ngtcp2 (libngtcp2 1.0), the first choice.");
        selection.Probes.Select(probe => probe.Name).ShouldBe(["ngtcp2", "msquic"]);
    }

    [Fact]
    public void Auto_says_why_it_did_not_take_an_earlier_one()
    {
        var selector = new TransportSelector([new FakeProvider("ngtcp2", 0) { IsMissing = true }, new FakeProvider("msquic", 1)]);

        TransportSelection selection = selector.Select("AUTO");

        selection.Transport.ShouldBeSameAs(FakeProvider.TransportOf("msquic"));
        selection.Reason.ShouldBe("msquic (libmsquic 1.0), since ngtcp2 can't be used: libngtcp2 is missing.");
    }

    [Fact]
    public void Named_provider_is_taken_whatever_its_order()
    {
        var selector = new TransportSelector([new FakeProvider("ngtcp2", 0), new FakeProvider("msquic", 1)]);

        TransportSelection selection = selector.Select("MsQuic");

        selection.Transport.ShouldBeSameAs(FakeProvider.TransportOf("msquic"));
        selection.Reason.ShouldBe("msquic (libmsquic 1.0), as configured.");
    }

    [Fact]
    public void Named_provider_that_does_not_work_is_not_replaced()
    {
        var selector = new TransportSelector([new FakeProvider("ngtcp2", 0), new FakeProvider("msquic", 1) { IsMissing = true }]);

        MeshException exception = Should.Throw<MeshException>(() => selector.Select("msquic"));

        exception.Error.ShouldBe(MeshError.TransportUnavailable);
        exception.Message.ShouldContain("apt-get install libmsquic");
    }

    [Fact]
    public void Nothing_that_works_names_every_remedy()
    {
        var selector = new TransportSelector([new FakeProvider("ngtcp2", 0) { IsMissing = true }, new FakeProvider("msquic", 1) { IsMissing = true }]);

        MeshException exception = Should.Throw<MeshException>(() => selector.Select("auto"));

        exception.Error.ShouldBe(MeshError.TransportUnavailable);
        exception.Message.ShouldContain("apt-get install libngtcp2");
        exception.Message.ShouldContain("apt-get install libmsquic");
    }

    [Fact]
    public void Unknown_name_lists_the_known_ones()
    {
        var selector = new TransportSelector([new FakeProvider("ngtcp2", 0), new FakeProvider("msquic", 1)]);

        MeshException exception = Should.Throw<MeshException>(() => selector.Select("tcp"));

        exception.Error.ShouldBe(MeshError.InvalidConfiguration);
        exception.Message.ShouldBe("There is no transport 'tcp'; use auto, ngtcp2, msquic.");
    }

    [Fact]
    public void No_provider_is_an_error() =>
        Should.Throw<MeshException>(() => new TransportSelector([]).Select("auto")).Error.ShouldBe(MeshError.TransportUnavailable);

    private sealed class FakeProvider(string name, int order) : ITransportProvider
    {
        private static readonly Dictionary<string, ITransport> Transports = new()
        {
            ["ngtcp2"] = new InMemoryTransport(new InMemoryNetwork()),
            ["msquic"] = new InMemoryTransport(new InMemoryNetwork()),
        };

        public string Name => name;

        public int Order => order;

        public bool IsMissing { get; init; }

        public static ITransport TransportOf(string name) => Transports[name];

        public TransportSupport Probe() => IsMissing
            ? new TransportSupport(false, $"lib{name} is missing.", $"Run 'apt-get install lib{name}'.")
            : new TransportSupport(true, $"lib{name} 1.0", null);

        public ITransport Create() => TransportOf(name);
    }
}
