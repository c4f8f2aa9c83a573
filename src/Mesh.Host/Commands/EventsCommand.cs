using System.CommandLine;
using EventMesh.Host.Control;
using EventMesh.Host.Endpoints;
using EventMesh.Host.Errors;
using EventMesh.Host.Events;

namespace EventMesh.Host.Commands;

/// <summary><c>mesh events</c>.</summary>
internal static class EventsCommand
{
    private static readonly Option<bool> Follow = new("--follow", "-f") { Description = "Go on with each new event, until Ctrl-C." };

    private static readonly Option<long?> After = CreateAfter();

    public static Command Create()
    {
        Command command = new("events", "Print the running node's log.") { Follow, After };
        return command.ForRunningNode().Runs(async (context, token) =>
        {
            using ControlClient client = context.CreateClient();
            bool follow = context.Get(Follow);
            try
            {
                await foreach (EventView recorded in client.GetEventsAsync(context.Get(After) ?? 0, follow, token))
                {
                    if (context.IsJson) context.WriteJson(recorded);
                    else await context.Out.WriteLineAsync(EventLine.Format(recorded));
                    if (follow) await context.Out.FlushAsync(token);
                }
            }
            catch (OperationCanceledException) when (follow && token.IsCancellationRequested)
            {
                return ExitCode.Success;
            }
            return follow ? throw new MeshException(MeshError.NodeStopped, "The node has stopped.") : ExitCode.Success;
        });
    }

    private static Option<long?> CreateAfter()
    {
        Option<long?> option = StrictOption.Number("--after", least: 0);
        option.Description = "Begin after this place in the log (the first column, 'seq' in JSON): resumes where a reader ended. Default: 0, the beginning.";
        option.HelpName = "seq";
        return option;
    }
}
