using System.CommandLine;
using System.Globalization;
using EventMesh.Host.Demo;
using EventMesh.Host.Endpoints;
using EventMesh.Host.Errors;
using EventMesh.Host.Events;

namespace EventMesh.Host.Commands;

/// <summary><c>mesh demo</c>: three real nodes on this machine, from their start to a return from the dead.</summary>
internal static class DemoCommand
{
    private static readonly Option<bool> Exit = new("--exit") { Description = "End when the story is told, instead of staying up until Ctrl-C." };

    private static readonly Option<string?> Plugins = new("--plugins")
    {
        Description = "The folder of plugin folders with the echo plugin. Default: EVENTMESH_DEMO_PLUGINS, or where the build puts it.",
        HelpName = "directory",
    };

    public static Command Create()
    {
        Command command = new("demo", "Start three nodes, let them talk, kill one and see it return from its own cache.") { Exit, Plugins };
        return command.Runs(RunAsync);
    }

    private static async Task<ExitCode> RunAsync(CommandContext context, CancellationToken token)
    {
        string plugins = DemoPlugins.Find(context.Get(Plugins));
        bool stay = !context.Get(Exit);
        bool told = false;
        await using DemoFolder folder = await DemoFolder.CreateAsync(token);
        // Disposed before the folder: the nodes end, then their files go.
        await using DemoScenario scenario = new(folder, plugins, CreateDisplay(context));
        try
        {
            IDemoDisplay display = scenario.Display;
            DemoResult result = await display.RunAsync(scenario.Rows, () => scenario.RunAsync(token));
            await PrintAsync(context, scenario, result, token);
            told = true;
            if (stay) await StayAsync(context, scenario, token);
            return ExitCode.Success;
        }
        catch (Exception) when (token.IsCancellationRequested)
        {
            // Ctrl-C in a terminal reaches the nodes too: what fails by their ending is no failure.
            return told ? ExitCode.Success : ExitCode.Interrupted;
        }
    }

    private static IDemoDisplay CreateDisplay(CommandContext context)
    {
        if (context.IsJson) return new LineDisplay(output: null);
        return context.Console.Profile.Capabilities.Interactive && !Console.IsOutputRedirected
            ? new LiveDisplay(context.Console)
            : new LineDisplay(context.Out);
    }

    private static async Task PrintAsync(CommandContext context, DemoScenario scenario, DemoResult result, CancellationToken token)
    {
        if (context.IsJson)
        {
            context.WriteJson(result);
            await context.Out.FlushAsync(token);
            return;
        }
        DemoNode node = scenario.Nodes[^1];
        await context.Out.WriteLineAsync($"{Environment.NewLine}The log of {node.Name}, first start, kill and return:");
        await foreach (EventView recorded in node.Client.GetEventsAsync(0, follow: false, token))
            await context.Out.WriteLineAsync(EventLine.Format(recorded));
        await context.Out.WriteLineAsync(string.Create(
            CultureInfo.InvariantCulture,
            $"{Environment.NewLine}{result.MessagesReceived} of {result.MessagesSent} messages exactly once, rejoined from the cache, in {result.Seconds:F1} s."));
    }

    private static async Task StayAsync(CommandContext context, DemoScenario scenario, CancellationToken token)
    {
        if (!context.IsJson)
        {
            await context.Out.WriteLineAsync($"{Environment.NewLine}The nodes stay up until Ctrl-C. In another terminal:");
            foreach (DemoNode node in scenario.Nodes) await context.Out.WriteLineAsync($"  mesh peers --data {node.DataDirectory}");
        }
        await context.Out.FlushAsync(token);
        await Task.Delay(Timeout.InfiniteTimeSpan, token);
    }
}
