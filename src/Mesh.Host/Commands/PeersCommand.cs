using System.CommandLine;
using EventMesh.Host.Control;
using EventMesh.Host.Endpoints;
using EventMesh.Host.Errors;
using Spectre.Console;

namespace EventMesh.Host.Commands;

/// <summary><c>mesh peers</c>: now from memory, else from history.</summary>
internal static class PeersCommand
{
    public static Command Create() =>
        new Command("peers", "List the joined peers of the running node, now or at a time.").WithFleet().ForHistory().ForRunningNode().Runs((context, token) =>
            context.IsFleet() ? FleetCommand.PeersAsync(context, token) : context.IsFromHistory() ? ListHistoryAsync(context, token) : ListAsync(context, token));

    private static async Task<ExitCode> ListAsync(CommandContext context, CancellationToken token)
    {
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
    }

    private static async Task<ExitCode> ListHistoryAsync(CommandContext context, CancellationToken token)
    {
        using ControlClient client = context.CreateClient();
        HistoryView<JoinedPeerView> page = await client.GetPeersAsync(context.GetHistory(), token);
        if (context.IsJson)
        {
            context.WriteJson(new { peers = page.Items, page.AsOf, page.Next });
            return ExitCode.Success;
        }
        Table table = TextTable.Create("peer", "kind", "endpoints", "agent", "joined");
        foreach (JoinedPeerView peer in page.Items)
        {
            table.AddTextRow(
                peer.Peer.ToShortString(), TextTable.Name(peer.Kind), string.Join(' ', peer.Endpoints), peer.Agent, TextTable.Time(peer.JoinedAt));
        }
        context.Console.Write(table);
        await context.WriteFootAsync(page.AsOf, page.Next);
        return ExitCode.Success;
    }
}
