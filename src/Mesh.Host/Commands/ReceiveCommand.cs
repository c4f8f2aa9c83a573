using System.CommandLine;
using EventMesh.Host.Control;
using EventMesh.Host.Endpoints;
using EventMesh.Host.Errors;

namespace EventMesh.Host.Commands;

/// <summary><c>mesh receive</c>.</summary>
internal static class ReceiveCommand
{
    private static readonly Option<string?> Channel = new("--channel")
    {
        Description = "Only this channel; a final * matches any rest. Default: all.",
        HelpName = "channel",
    };

    private static readonly Option<long?> Count = CreateCount();

    public static Command Create()
    {
        Command command = new("receive", "Print the messages that the running node receives from now on, until Ctrl-C.") { Channel, Count };
        return command.ForRunningNode().Runs(async (context, token) =>
        {
            using ControlClient client = context.CreateClient();
            long left = context.Get(Count) ?? long.MaxValue;
            try
            {
                await foreach (MessageView message in await client.SubscribeAsync(context.Get(Channel), token))
                {
                    if (context.IsJson) context.WriteJson(message);
                    else
                    {
                        string text = message.Text is { } t ? TextTable.Printable(t) : $"({message.Payload.Length} bytes)";
                        await context.Out.WriteLineAsync($"{message.From.ToShortString()}  {TextTable.Printable(message.Channel)}  {text}");
                    }
                    await context.Out.FlushAsync(token);
                    if (--left == 0) return ExitCode.Success;
                }
            }
            catch (OperationCanceledException) when (token.IsCancellationRequested)
            {
                // Ctrl-C is how a stream without an end is ended; with --count it is an interruption.
                return context.Get(Count) is null ? ExitCode.Success : ExitCode.Interrupted;
            }
            throw new MeshException(MeshError.NodeStopped, "The node has stopped.");
        });
    }

    private static Option<long?> CreateCount()
    {
        Option<long?> option = StrictOption.Number("--count", least: 1);
        option.Description = "End after so many messages.";
        option.HelpName = "n";
        return option;
    }
}
