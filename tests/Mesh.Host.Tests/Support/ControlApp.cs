using EventMesh.Bootstrap;
using EventMesh.Dispatch;
using EventMesh.Events;
using EventMesh.Host.Control;
using EventMesh.Host.Endpoints;
using EventMesh.Host.Messages;
using EventMesh.Identity;
using EventMesh.Journal;
using EventMesh.Marten.Audit;
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

    private ControlApp(WebApplication app, string dataDirectory, FakeMesh mesh, FakeNodeLog log, FakeDispatcher dispatcher)
    {
        _app = app;
        DataDirectory = dataDirectory;
        Mesh = mesh;
        Log = log;
        Dispatcher = dispatcher;
        Client = new ControlClient(dataDirectory);
    }

    public string DataDirectory { get; }

    public FakeMesh Mesh { get; }

    public FakeNodeLog Log { get; }

    public FakeDispatcher Dispatcher { get; }

    public required FakeAudit Audit { get; init; }

    public ControlClient Client { get; }

    public MessageTap Tap => _app.Services.GetRequiredService<MessageTap>();

    public static async Task<ControlApp> StartAsync()
    {
        string data = Directory.CreateTempSubdirectory("mesh-host-").FullName;
        FakeMesh mesh = new();
        FakeNodeLog log = new();
        FakeDispatcher dispatcher = new();
        WebApplicationBuilder builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.Services.AddSingleton<IMesh>(mesh);
        builder.Services.AddSingleton<IEventJournal>(log);
        builder.Services.AddSingleton<IEventStore>(log);
        builder.Services.AddSingleton<ITrust>(new FakeTrust(log, TimeProvider.System));
        builder.Services.AddSingleton<IBootstrapCache>(new FakeCache(mesh, log));
        builder.Services.AddSingleton<IMessageDispatcher>(dispatcher);
        FakeAudit audit = new();
        builder.Services.AddSingleton<ILogAudit>(audit);
        builder.Services.AddSingleton<ILogSealing>(audit);
        builder.Services.AddSingleton<ILogErasing>(audit);
        builder.Services.AddSingleton<ILogPrivacy>(audit);
        builder.Services.AddSingleton(TimeProvider.System);
        builder.Services.AddSingleton<INodeStatus>(new Status(mesh, data));
        builder.Services.AddControl();
        builder.WebHost.UseKestrelCore();
        builder.WebHost.ConfigureKestrel(o => o.ListenUnixSocket(ControlSocket.GetPath(data)));
        builder.Services.Configure<SocketTransportOptions>(o => o.CreateBoundListenSocket = ControlSocket.Bind);
        WebApplication app = builder.Build();
        app.MapControl();
        await app.StartAsync();
        return new ControlApp(app, data, mesh, log, dispatcher) { Audit = audit };
    }

    public Task StopAsync() => _app.StopAsync();

    public async ValueTask DisposeAsync()
    {
        Client.Dispose();
        await _app.StopAsync();
        await _app.DisposeAsync();
        Directory.Delete(DataDirectory, recursive: true);
    }

    private sealed class Status(FakeMesh mesh, string data) : INodeStatus
    {
        public NodeId NodeId => new(Guid.Empty);

        public bool IsRunning => true;

        public NodeView GetView() => new(
            mesh.LocalPeer, NodeId.ToString(), Guid.Empty, PeerKind.Node, "test", "1", MeshNodeState.Running, "127.0.0.1:1", null, Reachability.Unknown,
            "fake", "the test's", "fake", data, 1, mesh.Peers.Count, 1);
    }
}
