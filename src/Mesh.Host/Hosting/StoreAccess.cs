using EventMesh.Host.Commands;
using EventMesh.Marten;
using EventMesh.Marten.Store;
using EventMesh.Node;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;
using Npgsql;

namespace EventMesh.Host.Hosting;

/// <summary>The store that a command line, the environment and the configuration file name, for commands that work without the node.</summary>
internal sealed record StoreAccess(MeshStoreOptions Options, string DataDirectory)
{
    /// <summary>Reads and checks what the options of <c>mesh store</c> name.</summary>
    public static StoreAccess Read(CommandContext context)
    {
        NodeArguments arguments = new() { Data = context.Get(CommonOptions.Data), Store = context.Get(NodeOptions.Store) };
        IConfigurationRoot configuration = MeshConfiguration.Build(context.Get(CommonOptions.Config), arguments);
        using ServiceProvider services =
            new ServiceCollection().AddSingleton<IConfiguration>(configuration).AddMesh(configuration, arguments).BuildServiceProvider();
        return new(
            services.GetRequiredService<IOptions<MeshStoreOptions>>().Value,
            Path.GetFullPath(services.GetRequiredService<IOptions<MeshOptions>>().Value.DataDirectory));
    }

    /// <summary>For people: which store it is, without secrets.</summary>
    public string Describe()
    {
        if (string.IsNullOrWhiteSpace(Options.ConnectionString)) return $"the private server of {DataDirectory}";
        NpgsqlConnectionStringBuilder server = new(Options.ConnectionString);
        return $"{server.Host}:{server.Port}, database {server.Database ?? server.Username}";
    }

    /// <summary>Brings the private server's database to another version of PostgreSQL.</summary>
    public Task<StoreUpgrade> UpgradeAsync(string? oldBin, CancellationToken cancellationToken) => StoreAdministration.UpgradeAsync(
        Options, NodeIdFile.Read(DataDirectory), DataDirectory, oldBin, TimeProvider.System, NullLoggerFactory.Instance, cancellationToken);

    /// <summary>Connects, and starts the private server where no node runs it.</summary>
    public Task<StoreAdministration> OpenAsync(CancellationToken cancellationToken) => StoreAdministration.OpenAsync(
        Options, NodeIdFile.Read(DataDirectory), DataDirectory, TimeProvider.System, NullLoggerFactory.Instance, cancellationToken);
}
