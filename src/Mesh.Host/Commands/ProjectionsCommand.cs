using System.CommandLine;
using System.Globalization;
using EventMesh.Host.Control;
using EventMesh.Host.Endpoints;
using EventMesh.Host.Errors;
using Spectre.Console;

namespace EventMesh.Host.Commands;

/// <summary><c>mesh projections</c> and its parts; alone it lists.</summary>
internal static class ProjectionsCommand
{
    private static readonly Argument<string?> Name = new("name") { Description = "The projection.", Arity = ArgumentArity.ZeroOrOne };
    private static readonly Option<bool> All = new("--all") { Description = "All projections, one after the other." };

    public static Command Create()
    {
        Command command = new("projections", "The tables that follow the log: lists how far they are, or folds them anew.");
        command.Subcommands.Add(new Command("list", "List how far each projection is, and why one is paused.").ForRunningNode().Runs(ListAsync));
        command.Subcommands.Add(
            new Command("rebuild", "Fold a projection anew beside the one in use. One that was interrupted goes on where it stopped.") { Name, All }
                .ForRunningNode().Runs(RebuildAsync));
        return command.ForRunningNode().Runs(ListAsync);
    }

    private static async Task<ExitCode> ListAsync(CommandContext context, CancellationToken token)
    {
        using ControlClient client = context.CreateClient();
        ProjectionView[] projections = await client.GetProjectionsAsync(token);
        if (context.IsJson)
        {
            context.WriteJson(new { projections });
            return ExitCode.Success;
        }
        Table table = TextTable.Create("projection", "state", "place", "behind", "seconds", "rebuilt to");
        foreach (ProjectionView projection in projections)
        {
            table.AddTextRow(
                projection.Name, TextTable.Name(projection.State), Number(projection.NodeSeq), Number(projection.Lag),
                projection.LagSeconds.ToString("0.###", CultureInfo.InvariantCulture), projection.RebuiltSeq is { } seq ? Number(seq) : "");
        }
        context.Console.Write(table);
        foreach (ProjectionView paused in projections.Where(projection => projection.PausedReason is not null))
            await context.Out.WriteLineAsync(TextTable.Printable($"{paused.Name} is paused since {TextTable.Time(paused.PausedAt!.Value)}: {paused.PausedReason}"));
        foreach (ProjectionView left in projections.Where(projection => projection.RebuiltSeq is not null && projection.State != Marten.Queries.ProjectionState.Rebuilding))
            await context.Out.WriteLineAsync($"A rebuild of {left.Name} was interrupted: `mesh projections rebuild {left.Name}` goes on with it.");
        return ExitCode.Success;
    }

    private static async Task<ExitCode> RebuildAsync(CommandContext context, CancellationToken token)
    {
        string? name = context.Get(Name);
        if (name is null != context.Get(All))
            throw new MeshException(MeshError.InvalidConfiguration, "Which projection? Give the name of one, or --all; `mesh projections` lists them.");
        using ControlClient client = context.CreateClient();
        string[] names = name is null ? [.. (await client.GetProjectionsAsync(token)).Select(projection => projection.Name)] : [name];
        List<ProjectionView> rebuilt = [];
        foreach (string next in names)
        {
            rebuilt.Add(await client.RebuildProjectionAsync(next, token));
            if (!context.IsJson)
                await context.Out.WriteLineAsync($"Rebuilt {next} up to place {Number(rebuilt[^1].NodeSeq)}.");
        }
        if (context.IsJson)
            context.WriteJson(new { projections = rebuilt });
        return ExitCode.Success;
    }

    private static string Number(long value) => value.ToString(CultureInfo.InvariantCulture);
}
