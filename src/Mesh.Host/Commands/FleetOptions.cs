using System.CommandLine;
using EventMesh.Host.Control;
using EventMesh.Host.Endpoints;
using EventMesh.Host.Hosting;
using EventMesh.Marten;
using EventMesh.Marten.Queries;
using Microsoft.Extensions.Configuration;

namespace EventMesh.Host.Commands;

/// <summary>The options of commands that ask about all nodes of a database, and where the answer comes from: the running node, or the database itself.</summary>
internal static class FleetOptions
{
    private static readonly Option<bool> Fleet = new("--fleet")
    {
        Description = "Of all nodes that share the database, as its projections have it.",
    };

    private static readonly Option<string?> Store = new("--store")
    {
        Description = "Ask this database without a node: an Npgsql connection string, of a role that may read the views.",
        HelpName = "connection string",
    };

    private static readonly Option<string?> Schema = new("--schema")
    {
        Description = "With --store: the schema of the log. Default: EventMesh:Store:Schema of the configuration, or mesh.",
        HelpName = "name",
    };

    /// <summary>A command that talks to a running node, or with <c>--store</c> to a database.</summary>
    public static Command ForFleet(this Command command)
    {
        command.Options.Add(Store);
        command.Options.Add(Schema);
        return command.ForRunningNode();
    }

    /// <summary>A command that talks to a running node, and with <c>--fleet</c> asks about all of the database's.</summary>
    public static Command WithFleet(this Command command)
    {
        command.Options.Add(Fleet);
        command.Options.Add(Store);
        command.Options.Add(Schema);
        return command;
    }

    /// <summary>Whether all nodes are meant.</summary>
    public static bool IsFleet(this CommandContext context)
    {
        if (!context.Get(Fleet) && context.Get(Store) is not null)
            throw new MeshException(MeshError.InvalidConfiguration, "--store is for --fleet: give both, or ask the running node.");
        return context.Get(Fleet);
    }

    /// <summary>The nodes.</summary>
    public static Task<FleetView> ReadFleetAsync(this CommandContext context, CancellationToken token) => ReadAsync(
        context, async fleet => new FleetView(await fleet.GetLeaderAsync(token), await fleet.GetNodesAsync(token)), client => client.GetFleetAsync<FleetView>("", token));

    /// <summary>The peers of each.</summary>
    public static Task<IReadOnlyList<FleetPeer>> ReadFleetPeersAsync(this CommandContext context, CancellationToken token) =>
        ReadAsync(context, fleet => fleet.GetPeersAsync(token), client => client.GetFleetAsync<IReadOnlyList<FleetPeer>>("/peers", token));

    /// <summary>The cache of each.</summary>
    public static Task<IReadOnlyList<FleetCacheEntry>> ReadFleetCacheAsync(this CommandContext context, CancellationToken token) =>
        ReadAsync(context, fleet => fleet.GetCacheAsync(token), client => client.GetFleetAsync<IReadOnlyList<FleetCacheEntry>>("/cache", token));

    /// <summary>What each decided on trust.</summary>
    public static Task<IReadOnlyList<FleetDecision>> ReadFleetTrustAsync(this CommandContext context, CancellationToken token) =>
        ReadAsync(context, fleet => fleet.GetTrustAsync(token), client => client.GetFleetAsync<IReadOnlyList<FleetDecision>>("/trust", token));

    private static async Task<T> ReadAsync<T>(CommandContext context, Func<IFleetQueries, Task<T>> fromStore, Func<ControlClient, Task<T>> fromNode)
    {
        if (context.Get(Store) is not { } connectionString)
        {
            using ControlClient client = context.CreateClient();
            return await fromNode(client);
        }
        MeshStoreOptions options = new() { ConnectionString = connectionString };
        IConfiguration configuration = MeshConfiguration.Build(context.Get(CommonOptions.Config), new NodeArguments());
        options.Schema = context.Get(Schema) ?? configuration[$"{MeshStoreOptions.SectionName}:{nameof(MeshStoreOptions.Schema)}"] ?? options.Schema;
        await using FleetReader reader = FleetReader.Create(options);
        return await fromStore(reader.Queries);
    }
}
