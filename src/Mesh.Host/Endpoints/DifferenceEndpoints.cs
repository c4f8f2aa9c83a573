using EventMesh.Journal;
using EventMesh.Marten.Queries;
using EventMesh.Projections;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Routing;

namespace EventMesh.Host.Endpoints;

/// <summary><c>/v1/history/difference</c> and <c>/v1/history/changes</c>: what differs between two times.</summary>
internal static class DifferenceEndpoints
{
    /// <summary>Maps the endpoints.</summary>
    public static void MapDifferences(this IEndpointRouteBuilder routes)
    {
        routes.MapGet("history/difference", async (
            DateTimeOffset from, DateTimeOffset? to, IMeshQueries queries, INodeStatus node, IEventJournal journal, TimeProvider time,
            CancellationToken cancellationToken) =>
        {
            DateTimeOffset end = Check(from, to, time);
            MeshDifference difference = await queries.GetDifferenceAsync(node.NodeId, from, end, cancellationToken);
            return new DifferenceView(
                AsOfView.From(difference.From, journal.LastNodeSeq), AsOfView.From(difference.To, journal.LastNodeSeq), difference.Changes,
                difference.ConnectionsOpened, difference.ConnectionsClosed);
        });

        routes.MapGet("history/changes", async (
            DateTimeOffset from, DateTimeOffset? to, string? after, int? limit, IMeshQueries queries, INodeStatus node, IEventJournal journal, TimeProvider time,
            CancellationToken cancellationToken) =>
        {
            DateTimeOffset end = Check(from, to, time);
            if (limit is < 1 or > 1000) throw new MeshException(MeshError.InvalidConfiguration, "'limit' is 1 to 1000 items in a page.");
            ChangeFilter filter = new() { From = from, To = end, After = after, Limit = limit ?? 100 };
            HistoryPage<MeshChange> page = await queries.GetChangesAsync(node.NodeId, filter, cancellationToken);
            return new HistoryView<MeshChange>(page.Items, AsOfView.From(page.AsOf, journal.LastNodeSeq), page.Next);
        });
    }

    private static DateTimeOffset Check(DateTimeOffset from, DateTimeOffset? to, TimeProvider time)
    {
        DateTimeOffset end = to ?? time.GetUtcNow();
        return from <= end ? end : throw new MeshException(MeshError.InvalidConfiguration, "'from' is after 'to'.");
    }
}
