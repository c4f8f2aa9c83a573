using EventMesh.Host.Commands;
using EventMesh.Host.Control;
using EventMesh.Host.Doctor;
using EventMesh.Host.Endpoints;
using EventMesh.Host.Telemetry;
using EventMesh.Node;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Server.Kestrel.Transport.Sockets;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Options;

namespace EventMesh.Host.Hosting;

/// <summary>Puts the node and its control interface together.</summary>
internal static class NodeApplication
{
    /// <summary>
    /// An application that is not started yet. Starting it starts the node first, which takes the data directory's lock, and then the control socket there;
    /// stopping goes the other way round.
    /// </summary>
    /// <exception cref="MeshException"><see cref="MeshError.InvalidConfiguration"/>: values can't be read or are out of range.</exception>
    public static WebApplication Create(IConfigurationRoot configuration, NodeArguments arguments, OutputFormat format, bool verbose)
    {
        string dataDirectory = CheckOptions(configuration, arguments);
        // Empty: the sources of configuration, the log and the server are what is said here and nothing else.
        WebApplicationBuilder builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions
        {
            ApplicationName = typeof(NodeApplication).Assembly.GetName().Name,
            ContentRootPath = AppContext.BaseDirectory,
        });
        builder.Configuration.AddConfiguration(configuration);
        builder.Logging.AddMeshConsole(configuration, format, verbose);
        builder.Services.AddSingleton<IHostLifetime, CommandLifetime>();
        builder.Services.Configure<HostOptions>(o => o.ShutdownTimeout = TimeSpan.FromSeconds(30));
        builder.Services.AddMesh(configuration, arguments);
        builder.Services.AddSingleton<INodeStatus, NodeStatus>();
        builder.Services.AddSingleton<IProjectionControl, StoreProjections>();
        builder.Services.AddControl();
        builder.Services.AddMeshTelemetry(configuration);
        builder.WebHost.UseKestrelCore();
        builder.WebHost.ConfigureKestrel(server =>
        {
            server.AddServerHeader = false;
            server.Limits.MaxRequestBodySize = ControlEndpoints.MaxRequestBytes;
            server.ListenUnixSocket(ControlSocket.GetPath(dataDirectory));
        });
        builder.Services.Configure<SocketTransportOptions>(o => o.CreateBoundListenSocket = ControlSocket.Bind);

        WebApplication app = builder.Build();
        app.MapControl();
        return app;
    }

    /// <summary>What <c>mesh doctor</c> examines: the same services, none of them started.</summary>
    public static ServiceCollection CreateDoctorServices(IConfigurationRoot configuration, NodeArguments arguments)
    {
        ServiceCollection services = new();
        services.AddSingleton<IConfiguration>(configuration);
        services.AddMesh(configuration, arguments);
        services.AddSingleton<MeshDoctor>();
        services.AddSingleton<IDoctorProbe, ConfigurationProbe>();
        services.AddSingleton<IDoctorProbe, QuicProbe>();
        services.AddSingleton<IDoctorProbe, DataDirectoryProbe>();
        services.AddSingleton<IDoctorProbe, PortProbe>();
        services.AddSingleton<IDoctorProbe, StoreProbe>();
        services.AddSingleton<IDoctorProbe, FleetProbe>();
        services.AddSingleton<IDoctorProbe, JournalProbe>();
        services.AddSingleton<IDoctorProbe, PluginsProbe>();
        services.AddSingleton<IDoctorProbe, ProjectionsProbe>();
        return services;
    }

    // Before the application is built: building it reads options, and would tell of the first mistake in words of its own.
    private static string CheckOptions(IConfigurationRoot configuration, NodeArguments arguments)
    {
        using ServiceProvider services =
            new ServiceCollection().AddSingleton<IConfiguration>(configuration).AddMesh(configuration, arguments).BuildServiceProvider();
        services.CheckOptions();
        return services.GetRequiredService<IOptions<MeshOptions>>().Value.DataDirectory;
    }
}
