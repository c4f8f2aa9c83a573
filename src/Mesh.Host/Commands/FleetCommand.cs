using System.CommandLine;
using System.Globalization;
using EventMesh.Host.Endpoints;
using EventMesh.Host.Errors;
using EventMesh.Marten.Queries;
using Spectre.Console;

namespace EventMesh.Host.Commands;

/// <summary><c>mesh fleet</c>, and what <c>--fleet</c> prints.</summary>
internal static class FleetCommand
{
    public static Command Create()
    {
        Command command = new("fleet", "The nodes that share a database, as far as their logs say.");
        command.Subcommands.Add(new Command("list", "List the nodes, and who lets their projections follow.").ForFleet().Runs(ListAsync));
        return command.ForFleet().Runs(ListAsync);
    }

    /// <summary><c>mesh peers --fleet</c>.</summary>
    public static async Task<ExitCode> PeersAsync(CommandContext context, CancellationToken token)
    {
        IReadOnlyList<FleetPeer> peers = await context.ReadFleetPeersAsync(token);
        if (context.IsJson)
        {
            context.WriteJson(new { peers });
            return ExitCode.Success;
        }
        Table table = TextTable.Create("node", "peer", "kind", "endpoints", "agent", "joined");
        foreach (FleetPeer peer in peers)
        {
            table.AddTextRow(
                peer.Node.ToString(), peer.Peer.ToShortString(), TextTable.Name(peer.Kind), string.Join(' ', peer.Endpoints), peer.Agent,
                TextTable.Time(peer.JoinedAt));
        }
        return Write(context, table, peers.Count);
    }

    /// <summary><c>mesh cache list --fleet</c>.</summary>
    public static async Task<ExitCode> CacheAsync(CommandContext context, CancellationToken token)
    {
        IReadOnlyList<FleetCacheEntry> entries = await context.ReadFleetCacheAsync(token);
        if (context.IsJson)
        {
            context.WriteJson(new { entries });
            return ExitCode.Success;
        }
        Table table = TextTable.Create("node", "peer", "endpoints", "first dialled by", "state", "failures", "last connected");
        foreach (FleetCacheEntry entry in entries)
        {
            table.AddTextRow(
                entry.Node.ToString(), entry.Peer.ToShortString(), string.Join(' ', entry.Endpoints),
                entry.Origin == ConnectionDirection.Outbound ? "the node" : "the peer", entry.IsConfirmed ? "confirmed" : "probed",
                entry.Failures.ToString(CultureInfo.InvariantCulture), TextTable.Time(entry.LastConnectedAt));
        }
        return Write(context, table, entries.Count);
    }

    /// <summary><c>mesh trust list --fleet</c>.</summary>
    public static async Task<ExitCode> TrustAsync(CommandContext context, CancellationToken token)
    {
        IReadOnlyList<FleetDecision> decisions = await context.ReadFleetTrustAsync(token);
        if (context.IsJson)
        {
            context.WriteJson(new { decisions });
            return ExitCode.Success;
        }
        Table table = TextTable.Create("node", "what", "who", "peer", "until", "since", "by", "reason");
        foreach (FleetDecision decision in decisions)
        {
            table.AddTextRow(
                decision.Node.ToString(), TextTable.Name(decision.Decision.Kind), decision.Decision.Subject, decision.Decision.Peer?.ToShortString() ?? "",
                decision.Decision.Until is { } until ? TextTable.Time(until) : "", TextTable.Time(decision.Decision.At), decision.Decision.By ?? "",
                decision.Decision.Reason ?? "");
        }
        return Write(context, table, decisions.Count);
    }

    private static async Task<ExitCode> ListAsync(CommandContext context, CancellationToken token)
    {
        FleetView fleet = await context.ReadFleetAsync(token);
        if (context.IsJson)
        {
            context.WriteJson(fleet);
            return ExitCode.Success;
        }
        Table table = TextTable.Create("node", "peer", "state", "place", "last event", "epoch", "lag", "endpoint", "agent");
        foreach (FleetNode node in fleet.Nodes)
        {
            table.AddTextRow(
                node.Node.ToString(), node.Peer?.ToShortString() ?? "", node.State, node.NodeSeq.ToString(CultureInfo.InvariantCulture),
                TextTable.Time(node.LastAt), node.Epoch.ToString(CultureInfo.InvariantCulture), node.Lag.ToString(CultureInfo.InvariantCulture),
                node.Endpoint ?? "", node.Agent ?? "");
        }
        Write(context, table, fleet.Nodes.Count);
        string leader = fleet.Leader switch
        {
            null => "No process has let the projections follow yet.",
            { IsLeading: false } last => $"Nobody lets the projections follow; node {last.Node} did until it ended.",
            { } now => $"The projections follow by node {now.Node}: process {now.ProcessId} on {TextTable.Printable(now.Host)}, since {TextTable.Time(now.Since)}.",
        };
        await context.Out.WriteLineAsync(leader);
        return ExitCode.Success;
    }

    private static ExitCode Write(CommandContext context, Table table, int rows)
    {
        context.Console.Write(table);
        if (rows == IFleetQueries.MaxRows)
            context.Error.WriteLine($"mesh: these are the first {rows} rows; the views have the rest (docs/fleet.md).");
        return ExitCode.Success;
    }
}
