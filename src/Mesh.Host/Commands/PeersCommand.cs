using System.CommandLine;
using EventMesh.Host.Control;
using EventMesh.Host.Endpoints;
using EventMesh.Host.Errors;
using Spectre.Console;

namespace EventMesh.Host.Commands;

/// <summary><c>mesh peers</c>.</summary>
internal static class PeersCommand
{
    public static Command Create() => new Command("peers", "List the joined peers of the running node.").WithFleet().ForRunningNode().Runs(async (context, token) =>
    {
        if (context.IsFleet()) return await FleetCommand.PeersAsync(context, token);
        using ControlClient client = context.CreateClient();
        PeerView[] peers = await client.GetPeersAsync(token);
        if (context.IsJson)
        {
            context.WriteJson(new { peers });
            return ExitCode.Success;
        }
        Table table = TextTable.Create("peer", "kind", "remote", "endpoints", "agent", "joined");
        foreach (PeerView peer in peers)
        {
            table.AddTextRow(
                peer.Peer.ToShortString(), TextTable.Name(peer.Kind), peer.Remote, string.Join(' ', peer.Endpoints), peer.Agent, TextTable.Time(peer.JoinedAt));
        }
        context.Console.Write(table);
        return ExitCode.Success;
    });
}
