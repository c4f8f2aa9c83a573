using System.CommandLine;
using EventMesh.Host.Hosting;
using EventMesh.Node;
using Microsoft.Extensions.Configuration;

namespace EventMesh.Host.Commands;

/// <summary>The options that several commands share.</summary>
internal static class CommonOptions
{
    /// <summary><c>--output</c>, of every command.</summary>
    public static readonly Option<OutputFormat> Output = CreateOutput();

    /// <summary><c>--verbose</c>, of every command.</summary>
    public static readonly Option<bool> Verbose = new("--verbose")
    {
        Description = "Print stack traces of failures, and of a node its debug log.",
        Recursive = true,
    };

    /// <summary><c>--data</c>.</summary>
    public static readonly Option<string?> Data = new("--data", "-d")
    {
        Description = "The data directory. Default: EventMesh:DataDirectory of the configuration, or ./eventmesh-data.",
        HelpName = "directory",
    };

    /// <summary><c>--config</c>.</summary>
    public static readonly Option<string?> Config = new("--config", "-c")
    {
        Description = "The configuration file. Default: ./appsettings.json where there is one.",
        HelpName = "file",
    };

    /// <summary>A command that talks to a running node.</summary>
    public static Command ForRunningNode(this Command command)
    {
        command.Options.Add(Data);
        command.Options.Add(Config);
        return command;
    }

    /// <summary>The data directory that the options, the environment and the configuration file name.</summary>
    public static string GetDataDirectory(ParseResult parse)
    {
        string? data = parse.GetValue(Data);
        if (string.IsNullOrEmpty(data))
        {
            IConfiguration configuration = MeshConfiguration.Build(parse.GetValue(Config), new NodeArguments());
            data = configuration[$"{MeshOptions.SectionName}:{nameof(MeshOptions.DataDirectory)}"];
        }
        return Path.GetFullPath(string.IsNullOrEmpty(data) ? new MeshOptions().DataDirectory : data);
    }

    private static Option<OutputFormat> CreateOutput()
    {
        Option<OutputFormat> option = StrictOption.Of<OutputFormat>("--output", "-o");
        option.Description = "How to print: text for people, json for programs (one object, or one per line).";
        option.Recursive = true;
        return option;
    }
}
