using EventMesh.Dispatch;
using EventMesh.Journal;
using EventMesh.Node;
using Microsoft.Extensions.DependencyInjection;

namespace EventMesh.Host.Bench;

/// <summary>A whole node in this process, with a data directory of its own that goes with it.</summary>
internal sealed class BenchmarkNode : IAsyncDisposable
{
    /// <summary>The limits that the benchmark raises: all its nodes are on one address.</summary>
    public const int RaisedLimit = 4096;

    /// <summary>All its nodes are new, and each is recorded.</summary>
    public const int RaisedNewPeers = 1_000_000;

    private readonly ServiceProvider _services;
    private readonly DirectoryInfo _directory;

    private BenchmarkNode(ServiceProvider services, BenchmarkDispatcher dispatcher, DirectoryInfo directory)
    {
        _services = services;
        _directory = directory;
        Dispatcher = dispatcher;
        Mesh = services.GetRequiredService<MeshNode>();
    }

    public MeshNode Mesh { get; }

    public BenchmarkDispatcher Dispatcher { get; }

    public EventJournal Journal => _services.GetRequiredService<EventJournal>();

    /// <summary>Starts a node on loopback.</summary>
    /// <param name="isStored">Whether its events go to a private PostgreSQL; else they are forgotten.</param>
    /// <param name="cancellationToken">Gives the start up.</param>
    /// <param name="connectionString">The server that has its log; null for a private one of its own.</param>
    public static async Task<BenchmarkNode> StartAsync(bool isStored, CancellationToken cancellationToken, string? connectionString = null)
    {
        DirectoryInfo directory = Directory.CreateTempSubdirectory("mesh-bench-");
        var dispatcher = new BenchmarkDispatcher();
        var services = new ServiceCollection();
        services.AddSingleton<IMessageDispatcher>(dispatcher);
        if (!isStored) services.AddSingleton<IEventStore, BenchmarkEventStore>();
        IMeshBuilder builder = services.AddEventMesh(options =>
        {
            options.MeshName = "bench";
            options.DataDirectory = directory.FullName;
            options.Listen = "127.0.0.1:0";
            // Nobody dials but the benchmark.
            options.Bootstrap.TargetPeers = 0;
            options.Limits.MaxPeers = options.Limits.MaxInboundPeers = options.Limits.MaxConnectionsPerPrivateSource = RaisedLimit;
            options.Journal.NewPeersPerMinute = RaisedNewPeers;
        }).AddNgtcp2();
        if (isStored) builder.UseMarten(options => options.ConnectionString = connectionString);
        var node = new BenchmarkNode(services.BuildServiceProvider(), dispatcher, directory);
        try
        {
            await node.Mesh.StartAsync(cancellationToken).ConfigureAwait(false);
            return node;
        }
        catch
        {
            await node.DisposeAsync().ConfigureAwait(false);
            throw;
        }
    }

    public async ValueTask DisposeAsync()
    {
        await Mesh.StopAsync(CancellationToken.None).ConfigureAwait(false);
        await _services.DisposeAsync().ConfigureAwait(false);
        if (_directory.Exists) _directory.Delete(recursive: true);
    }
}
