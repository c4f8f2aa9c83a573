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

    private static readonly Option<bool> Reconnect = new("--reconnect")
    {
        Description = "With --follow: wait for the node when it stops or does not run yet, and go on where it was.",
    };

    // Between two attempts to reach a node that does not run.
    private static readonly TimeSpan ReconnectDelay = TimeSpan.FromMilliseconds(500);

    public static Command Create() =>
        new Command("events", "Print the running node's log.") { Follow, After, Reconnect }.ForRunningNode().Runs(PrintAsync);

    private static async Task<ExitCode> PrintAsync(CommandContext context, CancellationToken token)
    {
        bool follow = context.Get(Follow);
        bool reconnect = context.Get(Reconnect);
        if (reconnect && !follow) throw new MeshException(MeshError.InvalidConfiguration, "--reconnect is for --follow.");
        long last = context.Get(After) ?? 0;
        bool isTold = false;
        while (true)
        {
            using ControlClient client = context.CreateClient();
            try
            {
                await foreach (EventView recorded in client.GetEventsAsync(last, follow, token))
                {
                    if (context.IsJson) context.WriteJson(recorded);
                    else await context.Out.WriteLineAsync(EventLine.Format(recorded));
                    if (follow) await context.Out.FlushAsync(token);
                    last = recorded.Seq;
                    isTold = false;
                }
                if (!follow) return ExitCode.Success;
                if (!reconnect) throw new MeshException(MeshError.NodeStopped, "The node has stopped.");
            }
            catch (OperationCanceledException) when (follow && token.IsCancellationRequested)
            {
                return ExitCode.Success;
            }
            catch (MeshException e) when (reconnect && e.Error == MeshError.NodeStopped)
            {
                // It does not run, or went away in the middle of a line.
            }
            if (!isTold) await context.Error.WriteLineAsync($"Waiting for the node, to go on after place {last}.");
            isTold = true;
            await Task.Delay(ReconnectDelay, TimeProvider.System, token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            if (token.IsCancellationRequested) return ExitCode.Success;
        }
    }

    private static Option<long?> CreateAfter()
    {
        Option<long?> option = StrictOption.Number("--after", least: 0);
        option.Description = "Begin after this place in the log (the first column, 'seq' in JSON): resumes where a reader ended. Default: 0, the beginning.";
        option.HelpName = "seq";
        return option;
    }
}
