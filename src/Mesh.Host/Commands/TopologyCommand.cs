using System.CommandLine;
using EventMesh.Host.Control;
using EventMesh.Host.Endpoints;
using EventMesh.Host.Errors;
using Spectre.Console;

namespace EventMesh.Host.Commands;

/// <summary><c>mesh topology</c>.</summary>
internal static class TopologyCommand
{
    private static readonly Option<bool> Fleet = new("--fleet") { Description = "Of all nodes whose logs are in the same store." };

    public static Command Create() =>
        new Command("topology", "List who is joined to whom, now or at a time, as the stored history has it.") { PageOptions.AsOf, Fleet, PageOptions.Node }
            .ForRunningNode().Runs(async (context, token) =>
            {
                using ControlClient client = context.CreateClient();
                QueryText query = new QueryText().Add("at", context.Get(PageOptions.AsOf)).Add("fleet", context.Get(Fleet)).Add("node", context.Get(PageOptions.Node));
                TopologyView topology = await client.GetTopologyAsync(query, token);
                if (context.IsJson)
                {
                    context.WriteJson(topology);
                    return ExitCode.Success;
                }
                Table table = TextTable.Create("node", "peer", "kind", "joined");
                foreach (EdgeView edge in topology.Edges)
                    table.AddTextRow(edge.Identity?.ToShortString() ?? edge.Node, edge.Peer.ToShortString(), TextTable.Name(edge.Kind), TextTable.Time(edge.JoinedAt));
                context.Console.Write(table);
                foreach (NodeAsOfView node in topology.AsOf)
                {
                    if (topology.AsOf.Count > 1) await context.Error.WriteAsync($"Node {node.Node}: ");
                    await context.WriteFootAsync(node.AsOf, null);
                }
                return ExitCode.Success;
            });
}
