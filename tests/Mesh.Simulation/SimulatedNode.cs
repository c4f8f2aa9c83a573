using System.Net;
using EventMesh.Events;
using EventMesh.Identity;
using EventMesh.Journal;
using EventMesh.Node;
using EventMesh.Projections;
using EventMesh.Tests.Common.Journal;
using EventMesh.Tests.Common.Nodes;
using EventMesh.Transport;
using EventMesh.Transport.InMemory;
using Microsoft.Extensions.DependencyInjection;

namespace EventMesh.Simulation;

/// <summary>A whole node on the simulated network, with a machine (an address and a data directory) that outlives its processes.</summary>
internal sealed class SimulatedNode(InMemoryNetwork network, TimeProvider clock, IPEndPoint endpoint, string directory, Action<MeshOptions> configure)
{
    private readonly InMemoryEventStore _store = new();
    private ServiceProvider? _services;

    public IPEndPoint EndPoint => endpoint;

    public MeshNode? Mesh { get; private set; }

    public EventJournal? Journal { get; private set; }

    public bool IsRunning => Mesh?.State == MeshNodeState.Running;

    /// <summary>Since when its process runs, on the virtual clock.</summary>
    public DateTimeOffset StartedAt { get; private set; }

    public PeerId Id { get; private set; }

    public BootstrapCacheState Cache => Journal!.State.Cache;

    /// <summary>All events of the machine's log that have reached the store.</summary>
    public IReadOnlyList<RecordedEvent> Log => _store.Content(Mesh!.NodeId);

    public async Task StartAsync()
    {
        var services = new ServiceCollection();
        services.AddSingleton<ITransportProvider>(new InMemoryTransportProvider(network));
        services.AddSingleton<IEventStore>(_store);
        services.AddSingleton(clock);
        services.AddEventMesh(options =>
        {
            options.DataDirectory = directory;
            options.Listen = endpoint.ToString();
            configure(options);
        });
        _services = services.BuildServiceProvider();
        Mesh = _services.GetRequiredService<MeshNode>();
        Journal = _services.GetRequiredService<EventJournal>();
        await Mesh.StartAsync(CancellationToken.None);
        Id = Mesh.LocalPeer;
        StartedAt = clock.GetUtcNow();
    }

    public async Task StopAsync()
    {
        await Mesh!.StopAsync(CancellationToken.None);
        await _services!.DisposeAsync();
    }

    /// <summary>Ends the process without a word to anybody: nothing that it sends while it stops gets through.</summary>
    public async Task KillAsync()
    {
        network.Isolate(new IPEndPoint(endpoint.Address, 0));
        await StopAsync();
        network.Rejoin(new IPEndPoint(endpoint.Address, 0));
    }
}
