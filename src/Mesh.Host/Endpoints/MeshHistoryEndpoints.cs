using EventMesh.Journal;
using EventMesh.Marten.Queries;
using EventMesh.Projections;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Mvc;
using Microsoft.AspNetCore.Routing;

namespace EventMesh.Host.Endpoints;

/// <summary><c>/v1/history/trust</c> and <c>/v1/history/topology</c>: the ledger and the topology as of a time.</summary>
internal static class MeshHistoryEndpoints
{
    /// <summary>Maps the endpoints.</summary>
    public static void MapMeshHistory(this IEndpointRouteBuilder routes)
    {
        routes.MapGet("history/trust", async (
            DateTimeOffset? at, [FromQuery(Name = "node")] string? of, IMeshQueries queries, INodeStatus node, IEventJournal journal, TimeProvider time,
            CancellationToken cancellationToken) =>
        {
            Check(at, time);
            HistorySource source = HistorySource.From(of, node, journal);
            HistoryPage<TrustLedgerEntry> page = await queries.FindTrustAsync(source.Node, at ?? time.GetUtcNow(), cancellationToken);
            return new TrustHistoryView(page.Items, source.AsOf(page.AsOf));
        });

        routes.MapGet("history/topology", async (
            DateTimeOffset? at, bool? fleet, [FromQuery(Name = "node")] string? of, IMeshQueries queries, INodeStatus node, IEventJournal journal, TimeProvider time,
            CancellationToken cancellationToken) =>
        {
            Check(at, time);
            HistorySource source = HistorySource.From(of, node, journal);
            MeshTopology topology = await queries.FindTopologyAsync(fleet == true ? null : source.Node, at, cancellationToken);
            return new TopologyView(
                [.. topology.Edges.Select(e => new EdgeView(e.Node.ToString(), e.Identity, e.Peer, e.PeerNode?.ToString(), e.Kind, e.JoinedAt))],
                [
                    .. topology.AsOf.OrderBy(point => point.Key.Value).Select(point => new NodeAsOfView(
                        point.Key.ToString(), HistorySource.From(point.Key.ToString(), node, journal).AsOf(point.Value))),
                ]);
        });
    }

    private static void Check(DateTimeOffset? at, TimeProvider time)
    {
        if (at > time.GetUtcNow()) throw new MeshException(MeshError.InvalidConfiguration, "'at' is in the future.");
    }
}
