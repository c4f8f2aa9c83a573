using System.CommandLine;
using EventMesh.Host.Control;
using EventMesh.Host.Endpoints;
using EventMesh.Host.Errors;

namespace EventMesh.Host.Commands;

/// <summary><c>mesh disconnect</c>.</summary>
internal static class DisconnectCommand
{
    private static readonly Argument<string> Peer = new("peer") { Description = "The peer's identity, or its beginning where only one joined peer has it." };

    public static Command Create()
    {
        Command command = new("disconnect", "Close the connections with a peer.") { Peer };
        return command.ForRunningNode().Runs(async (context, token) =>
        {
            using ControlClient client = context.CreateClient();
            PeerView peer = await client.DisconnectAsync(context.Get(Peer)!, token);
            if (context.IsJson) context.WriteJson(peer);
            else await context.Out.WriteLineAsync($"Disconnected {peer.Peer}.");
            return ExitCode.Success;
        });
    }
}
