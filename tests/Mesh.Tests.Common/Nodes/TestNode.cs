using System.Net;
using EventMesh.Dispatch;
using EventMesh.Events;
using EventMesh.Identity;
using EventMesh.Journal;
using EventMesh.Messaging;
using EventMesh.Node;
using EventMesh.Tests.Common.Journal;
using EventMesh.Transport;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace EventMesh.Tests.Common.Nodes;

/// <summary>A whole node over a given transport and a store in memory, with a data directory of its own that goes with it.</summary>
public sealed class TestNode : IAsyncDisposable
{
    private readonly ServiceProvider _services;
    private readonly bool _ownsDirectory;

    private TestNode(ServiceProvider services, InMemoryEventStore store, RecordingDispatcher dispatcher, string directory, bool ownsDirectory)
    {
        _services = services;
        Store = store;
        Dispatcher = dispatcher;
        Directory = directory;
        _ownsDirectory = ownsDirectory;
        Mesh = services.GetRequiredService<MeshNode>();
        Journal = services.GetRequiredService<EventJournal>();
    }

    public MeshNode Mesh { get; }

    public EventJournal Journal { get; }

    public InMemoryEventStore Store { get; }

    public RecordingDispatcher Dispatcher { get; }

    public string Directory { get; }

    public PeerId Id => Mesh.LocalPeer;

    public IPEndPoint EndPoint => Mesh.LocalEndPoint;

    /// <summary>All events of the log so far, in order.</summary>
    public IEnumerable<IMeshEvent> Log => Store.Content(Mesh.NodeId).Select(recorded => recorded.Data);

    /// <summary>Starts a node; an earlier one's store and directory make it a restart of that.</summary>
    public static async Task<TestNode> StartAsync(
        ITransportProvider transport, Action<MeshOptions>? configure = null, InMemoryEventStore? store = null, string? directory = null,
        TimeProvider? clock = null, ILoggerFactory? log = null, Action<IServiceCollection>? configureServices = null)
    {
        store ??= new InMemoryEventStore();
        string path = directory ?? System.IO.Directory.CreateTempSubdirectory("eventmesh-test-").FullName;
        var dispatcher = new RecordingDispatcher();
        var services = new ServiceCollection();
        services.AddSingleton(transport);
        services.AddSingleton<IEventStore>(store);
        services.AddSingleton<IMessageDispatcher>(dispatcher);
        if (log is not null) services.AddSingleton(log);
        if (clock is not null) services.AddSingleton(clock);
        configureServices?.Invoke(services);
        services.AddEventMesh(options =>
        {
            options.DataDirectory = path;
            options.Listen = "127.0.0.1:0";
            configure?.Invoke(options);
        });
        var node = new TestNode(services.BuildServiceProvider(), store, dispatcher, path, directory is null);
        try
        {
            await node.Mesh.StartAsync(CancellationToken.None);
        }
        catch
        {
            await node.DisposeAsync();
            throw;
        }
        return node;
    }

    /// <summary>Waits until a condition of this node's memory or log holds, looking again at each recorded event.</summary>
    public async Task WhenAsync(Func<TestNode, bool> condition, string what, TimeSpan? limit = null)
    {
        using var timer = new CancellationTokenSource(limit ?? TimeSpan.FromMinutes(1));
        await using IAsyncEnumerator<RecordedEvent> follower = Journal.FollowAsync(timer.Token).GetAsyncEnumerator(timer.Token);
        Task<bool> next = follower.MoveNextAsync().AsTask();
        try
        {
            while (!condition(this))
            {
                // What a session shows may change a moment after its event: look again by the clock too.
                await Task.WhenAny(next, Task.Delay(20, timer.Token));
                if (timer.IsCancellationRequested)
                    throw new TimeoutException($"Not in time: {what}. The log: {string.Join(", ", Log.Select(e => e.GetType().Name))}");
                if (next.IsCompletedSuccessfully) next = follower.MoveNextAsync().AsTask();
            }
        }
        finally
        {
            await timer.CancelAsync();
            await ((Task)next).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    public Task WhenJoinedAsync(params TestNode[] peers) => WhenAsync(
        node => peers.All(peer => node.Mesh.Peers.Any(info => info.Peer == peer.Id)), $"{peers.Length} peers joined");

    public Task WhenLeftAsync(PeerId peer) => WhenAsync(node => node.Mesh.Peers.All(info => info.Peer != peer), $"{peer.ToShortString()} left");

    public Task<PeerInfo> ConnectAsync(TestNode other) => Mesh.ConnectAsync(other.EndPoint).WaitAsync(TimeSpan.FromMinutes(2));

    public async ValueTask DisposeAsync()
    {
        await Mesh.StopAsync(CancellationToken.None);
        await _services.DisposeAsync();
        if (_ownsDirectory && System.IO.Directory.Exists(Directory)) System.IO.Directory.Delete(Directory, recursive: true);
    }
}
