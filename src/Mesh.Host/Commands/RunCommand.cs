using System.CommandLine;
using EventMesh.Host.Endpoints;
using EventMesh.Host.Errors;
using EventMesh.Host.Hosting;
using EventMesh.Journal;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;

namespace EventMesh.Host.Commands;

/// <summary><c>mesh run</c>: a node, until Ctrl-C or SIGTERM.</summary>
internal static class RunCommand
{
    private static readonly Option<bool> StopWithParent = new("--stop-with-parent")
    {
        Description = "Stop in order when standard input ends.",
        Hidden = true,
    };

    public static Command Create()
    {
        Command command = new("run", "Run a node until Ctrl-C.") { StopWithParent };
        return command.ForNode().Runs(RunAsync);
    }

    private static async Task<ExitCode> RunAsync(CommandContext context, CancellationToken token)
    {
        using CancellationTokenSource stop = CancellationTokenSource.CreateLinkedTokenSource(token);
        Task<ExitCode> node = RunNodeAsync(context, stop.Token);
        // A read of standard input can't be cancelled everywhere: the node's end does not wait for it.
        if (context.Get(StopWithParent))
        {
            await Task.WhenAny(node, ParentWatch.WhenParentEndsAsync(Console.OpenStandardInput(), stop.Token));
            await stop.CancelAsync();
        }
        return await node;
    }

    private static async Task<ExitCode> RunNodeAsync(CommandContext context, CancellationToken token)
    {
        NodeArguments arguments = context.GetNodeArguments();
        IConfigurationRoot configuration = MeshConfiguration.Build(context.Get(CommonOptions.Config), arguments);
        // Disposed also when the start fails half-way: what did start, such as a private PostgreSQL, ends with it.
        await using WebApplication app = NodeApplication.Create(configuration, arguments, context.Format, context.IsVerbose);
        try
        {
            await app.StartAsync(token);
        }
        catch (OperationCanceledException) when (token.IsCancellationRequested)
        {
            return ExitCode.Interrupted;
        }
        await WriteSummaryAsync(context, app.Services.GetRequiredService<INodeStatus>().GetView());

        Task<MeshException> failed = app.Services.GetRequiredService<IEventJournal>().Failed;
        Task interrupted = Task.Delay(Timeout.InfiniteTimeSpan, token);
        // Not WaitForShutdownAsync: that stops the application itself, a second time beside us.
        Task stopping = Task.Delay(Timeout.InfiniteTimeSpan, app.Lifetime.ApplicationStopping);
        Task first = await Task.WhenAny(interrupted, failed, stopping);
        await app.StopAsync(CancellationToken.None);
        if (failed.IsCompleted) throw await failed;
        if (first != interrupted)
            throw new MeshException(MeshError.Unknown, "The node stopped by itself. Its log on stderr says why.");
        return ExitCode.Success;
    }

    private static async Task WriteSummaryAsync(CommandContext context, NodeView node)
    {
        if (context.IsJson)
        {
            context.WriteJson(node);
        }
        else
        {
            await context.Out.WriteLineAsync(
                $"""
                EventMesh {node.Version}: {TextTable.Name(node.Kind)} {node.Peer.ToShortString()} of mesh '{node.Mesh}' is running.
                  identity   {node.Peer}
                  listen     {node.Listen} (UDP)
                  transport  {node.Transport}: {node.TransportReason}
                  store      {node.Store}
                  data       {node.DataDirectory}
                Stop with Ctrl-C. Commands for it: mesh peers|send|events|cache --data {node.DataDirectory}
                """);
        }
        await context.Out.FlushAsync(CancellationToken.None);
    }
}
