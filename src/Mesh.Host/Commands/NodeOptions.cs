using System.CommandLine;
using EventMesh.Host.Hosting;

namespace EventMesh.Host.Commands;

/// <summary>The options that set up a node: those of <c>mesh run</c>, also of <c>mesh doctor</c>.</summary>
internal static class NodeOptions
{
    private static readonly Option<string?> Listen = new("--listen")
    {
        Description = "The UDP address to bind, address:port; port 0 lets the system choose.",
        HelpName = "address:port",
    };

    private static readonly Option<string[]> Contacts = new("--contact")
    {
        Description = "A hard-coded contact, host:port; repeatable. Any replace those of the configuration.",
        HelpName = "host:port",
    };

    private static readonly Option<PeerKind?> Kind = CreateKind();

    /// <summary><c>--store</c>.</summary>
    public static readonly Option<string?> Store = new("--store")
    {
        Description = "PostgreSQL's connection string. Default: a private server of the node's own.",
        HelpName = "connection string",
    };

    private static readonly Option<string?> Mesh = new("--mesh")
    {
        Description = "The mesh's name; nodes of other meshes are refused.",
        HelpName = "name",
    };

    private static readonly Option<string?> Plugins = new("--plugins")
    {
        Description = "The folder of plugin folders.",
        HelpName = "directory",
    };

    /// <summary>Adds the options.</summary>
    public static Command ForNode(this Command command)
    {
        command.Options.Add(Listen);
        command.Options.Add(Contacts);
        command.Options.Add(Kind);
        command.Options.Add(Store);
        command.Options.Add(Mesh);
        command.Options.Add(Plugins);
        return command.ForRunningNode();
    }

    /// <summary>What the options say.</summary>
    public static NodeArguments GetNodeArguments(this CommandContext context) => new()
    {
        Listen = context.Get(Listen),
        Contacts = context.Get(Contacts) ?? [],
        Kind = context.Get(Kind),
        Data = context.Get(CommonOptions.Data),
        Store = context.Get(Store),
        MeshName = context.Get(Mesh),
        Plugins = context.Get(Plugins),
    };

    private static Option<PeerKind?> CreateKind()
    {
        Option<PeerKind?> option = StrictOption.OfOptional<PeerKind>("--kind");
        option.Description = "node: others may dial it. client: it only dials.";
        return option;
    }
}
