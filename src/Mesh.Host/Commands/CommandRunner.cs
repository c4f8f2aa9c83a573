using System.CommandLine;
using EventMesh.Host.Errors;

namespace EventMesh.Host.Commands;

/// <summary>Runs the body of a command: signals come in as cancellation, failures go out as one message and an exit code.</summary>
internal static class CommandRunner
{
    /// <summary>Sets what a command does.</summary>
    /// <param name="command">The command.</param>
    /// <param name="body">Its body; a cancellation that it lets through ends the process with <see cref="ExitCode.Interrupted"/>.</param>
    public static Command Runs(this Command command, Func<CommandContext, CancellationToken, Task<ExitCode>> body)
    {
        command.SetAction(async (parse, cancellationToken) =>
        {
            CommandContext context = new(parse);
            using TerminationSignals signals = new(cancellationToken);
            try
            {
                return (int)await body(context, signals.Token);
            }
            catch (OperationCanceledException) when (signals.Token.IsCancellationRequested)
            {
                return (int)ExitCode.Interrupted;
            }
            catch (Exception e)
            {
                return (int)context.Report(e.ToMeshException());
            }
        });
        return command;
    }
}
