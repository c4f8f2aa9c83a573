using System.CommandLine;
using EventMesh.Host.Control;
using EventMesh.Host.Endpoints;
using EventMesh.Host.Errors;

namespace EventMesh.Host.Commands;

/// <summary><c>mesh import</c>.</summary>
internal static class ImportCommand
{
    private static readonly Argument<string> From = new("file") { Description = "What `mesh export` wrote; - for standard input." };

    public static Command Create() =>
        new Command("import", "Bring the exported log of another node into the running node's store, for analysis with --node.") { From }
            .ForRunningNode().Runs(async (context, token) =>
            {
                string path = context.Get(From)!;
                await using Stream file = Open(path);
                using ControlClient client = context.CreateClient();
                ImportView view = await client.ImportLogAsync(file, token);
                if (context.IsJson) context.WriteJson(view);
                else await context.Out.WriteLineAsync($"Imported {view.Events} events of node {view.Node}: `mesh peers --node {view.Node}` and others answer of it.");
                return ExitCode.Success;
            });

    private static Stream Open(string path)
    {
        try
        {
            return path == "-" ? Console.OpenStandardInput() : File.OpenRead(path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new MeshException(MeshError.InvalidConfiguration, $"'{path}' can't be read: {e.Message}", e);
        }
    }
}
