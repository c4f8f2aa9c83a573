using System.Net;
using EventMesh.Conformance;
using EventMesh.Transport;
using EventMesh.Transport.InMemory;

namespace EventMesh.Core.Tests.Transport;

internal static class RealTime
{
    public static IPAddress Multicast { get; } = IPAddress.Parse("224.0.0.1");

    public static ITransport Create() => new InMemoryTransport(new InMemoryNetwork());
}

/// <summary>A slow, lossy and reordering network on a virtual clock: what holds there does not hold by chance.</summary>
internal sealed class VirtualTime
{
    private readonly VirtualTimeProvider _clock = new();

    public ITransport Create() => new InMemoryTransport(new InMemoryNetwork(new InMemoryNetworkOptions
    {
        Seed = 42,
        TimeProvider = _clock,
        DefaultLink = new LinkConditions
        {
            Latency = TimeSpan.FromMilliseconds(2),
            Jitter = TimeSpan.FromMilliseconds(1),
            Loss = 0.01,
            Reordering = 0.05,
        },
    }));

    public Task RunAsync(Task task, TimeSpan limit) =>
        _clock.RunUntil(task, limit) ? Task.CompletedTask : Task.FromException(new TimeoutException());
}

public sealed class InMemoryConnectTests : TransportConnectConformanceTests
{
    protected override IPAddress UnavailableAddress => RealTime.Multicast;

    protected override ITransport CreateTransport() => RealTime.Create();
}

public sealed class InMemoryStreamTests : TransportStreamConformanceTests
{
    protected override ITransport CreateTransport() => RealTime.Create();
}

public sealed class InMemoryFlowControlTests : TransportFlowControlConformanceTests
{
    protected override ITransport CreateTransport() => RealTime.Create();
}

public sealed class InMemoryLifetimeTests : TransportLifetimeConformanceTests
{
    protected override ITransport CreateTransport() => RealTime.Create();
}

public sealed class InMemoryVirtualTimeConnectTests : TransportConnectConformanceTests
{
    private readonly VirtualTime _time = new();

    protected override IPAddress UnavailableAddress => RealTime.Multicast;

    protected override ITransport CreateTransport() => _time.Create();

    protected override Task UntilEndedAsync(Task task, TimeSpan limit) => _time.RunAsync(task, limit);
}

public sealed class InMemoryVirtualTimeStreamTests : TransportStreamConformanceTests
{
    private readonly VirtualTime _time = new();

    protected override ITransport CreateTransport() => _time.Create();

    protected override Task UntilEndedAsync(Task task, TimeSpan limit) => _time.RunAsync(task, limit);
}

public sealed class InMemoryVirtualTimeFlowControlTests : TransportFlowControlConformanceTests
{
    private readonly VirtualTime _time = new();

    protected override ITransport CreateTransport() => _time.Create();

    protected override Task UntilEndedAsync(Task task, TimeSpan limit) => _time.RunAsync(task, limit);
}

public sealed class InMemoryVirtualTimeLifetimeTests : TransportLifetimeConformanceTests
{
    private readonly VirtualTime _time = new();

    protected override ITransport CreateTransport() => _time.Create();

    protected override Task UntilEndedAsync(Task task, TimeSpan limit) => _time.RunAsync(task, limit);
}
