using EventMesh.Bootstrap;
using EventMesh.Dispatch;
using EventMesh.Events;
using EventMesh.Host.Control;
using EventMesh.Host.Endpoints;
using EventMesh.Host.Messages;
using EventMesh.Identity;
using EventMesh.Journal;
using EventMesh.Marten.Audit;
using EventMesh.Marten.Queries;
using EventMesh.Marten.Retention;
using EventMesh.Marten.Store;
using EventMesh.Node;
using EventMesh.Tests.Common.Hosting;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Server.Kestrel.Transport.Sockets;
using Microsoft.Extensions.DependencyInjection;

namespace EventMesh.Host.Tests.Support;

/// <summary>The control interface over a real socket, on a node that a test plays.</summary>
internal sealed class ControlApp : IAsyncDisposable
{
    private readonly WebApplication _app;
    private readonly Status _status;

    private ControlApp(
        WebApplication app, string dataDirectory, FakeMesh mesh, FakeNodeLog log, FakeDispatcher dispatcher, FakeQueries queries, Status status)
    {
        Queries = queries;
        _app = app;
        DataDirectory = dataDirectory;
        Mesh = mesh;
        Log = log;
        Dispatcher = dispatcher;
        _status = status;
        Client = new ControlClient(dataDirectory);
    }

    public string DataDirectory { get; }

    public FakeMesh Mesh { get; }

    public FakeNodeLog Log { get; }

    public FakeQueries Queries { get; }

    public FakeDispatcher Dispatcher { get; }

    public required FakeAudit Audit { get; init; }

    public ControlClient Client { get; }

    public required FakeProjections Projections { get; init; }

    public FakeSegments Segments => (FakeSegments)_app.Services.GetRequiredService<ISegments>();

    /// <summary>What the node's health tells of its journal.</summary>
    public JournalStatus? Journal
    {
        get => _status.Journal;
        set => _status.Journal = value;
    }

    public MessageTap Tap => _app.Services.GetRequiredService<MessageTap>();

    /// <summary>Starts a node.</summary>
    /// <param name="data">Its data directory; a new one without.</param>
    /// <param name="log">Its log; an empty one without.</param>
    /// <param name="fleet">What is known of all nodes; nothing without.</param>
    public static async Task<ControlApp> StartAsync(string? data = null, FakeNodeLog? log = null, IFleetQueries? fleet = null)
    {
        data ??= Directory.CreateTempSubdirectory("mesh-host-").FullName;
        FakeMesh mesh = new();
        log ??= new();
        FakeDispatcher dispatcher = new();
        FakeQueries queries = new(log);
        WebApplicationBuilder builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.Services.AddSingleton<IMesh>(mesh);
        builder.Services.AddSingleton<IEventJournal>(log);
        builder.Services.AddSingleton<IEventStore>(log);
        builder.Services.AddSingleton<IMeshQueries>(queries);
        builder.Services.AddSingleton<ILogImporter>(queries);
        builder.Services.AddSingleton<ITrust>(new FakeTrust(log, TimeProvider.System));
        builder.Services.AddSingleton<IBootstrapCache>(new FakeCache(mesh, log));
        builder.Services.AddSingleton<IMessageDispatcher>(dispatcher);
        builder.Services.AddSingleton<ISegments>(new FakeSegments());
        FakeAudit audit = new();
        builder.Services.AddSingleton<ILogAudit>(audit);
        builder.Services.AddSingleton<ILogSealing>(audit);
        builder.Services.AddSingleton<ILogErasing>(audit);
        builder.Services.AddSingleton<ILogPrivacy>(audit);
        builder.Services.AddSingleton(TimeProvider.System);
        Status status = new(mesh, data);
        builder.Services.AddSingleton<INodeStatus>(status);
        FakeProjections projections = new();
        builder.Services.AddSingleton<IProjectionControl>(projections);
        if (fleet is not null) builder.Services.AddSingleton(fleet);
        builder.Services.AddControl();
        builder.WebHost.UseKestrelCore();
        builder.WebHost.ConfigureKestrel(o => o.ListenUnixSocket(ControlSocket.GetPath(data)));
        builder.Services.Configure<SocketTransportOptions>(o => o.CreateBoundListenSocket = ControlSocket.Bind);
        WebApplication app = builder.Build();
        app.MapControl();
        await app.StartAsync();
        return new ControlApp(app, data, mesh, log, dispatcher, queries, status) { Audit = audit, Projections = projections };
    }

    public Task StopAsync() => _app.StopAsync();

    public async ValueTask DisposeAsync()
    {
        Client.Dispose();
        await _app.StopAsync();
        await _app.DisposeAsync();
        // Another node may have had the same.
        if (Directory.Exists(DataDirectory)) Directory.Delete(DataDirectory, recursive: true);
    }

    private sealed class Status(FakeMesh mesh, string data) : INodeStatus
    {
        public NodeId NodeId => new(Guid.Empty);

        public bool IsRunning => true;

        public JournalStatus? Journal { get; set; }

        public HealthView GetHealth() => HealthView.From(IsRunning, Journal);

        public NodeView GetView() => new(
            mesh.LocalPeer, NodeId.ToString(), Guid.Empty, PeerKind.Node, "test", "1", MeshNodeState.Running, "127.0.0.1:1", null, Reachability.Unknown,
            "fake", "the test's", "fake", data, 1, mesh.Peers.Count, 1);
    }
}
