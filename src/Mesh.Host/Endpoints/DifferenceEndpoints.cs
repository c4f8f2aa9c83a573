using EventMesh.Journal;
using EventMesh.Marten.Queries;
using EventMesh.Projections;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Mvc;
using Microsoft.AspNetCore.Routing;

namespace EventMesh.Host.Endpoints;

/// <summary><c>/v1/history/difference</c> and <c>/v1/history/changes</c>: what differs between two times.</summary>
internal static class DifferenceEndpoints
{
    /// <summary>Maps the endpoints.</summary>
    public static void MapDifferences(this IEndpointRouteBuilder routes)
    {
        routes.MapGet("history/difference", async (
            DateTimeOffset from, DateTimeOffset? to, [FromQuery(Name = "node")] string? of, IMeshQueries queries, INodeStatus node, IEventJournal journal, TimeProvider time,
            CancellationToken cancellationToken) =>
        {
            DateTimeOffset end = Check(from, to, time);
            HistorySource source = HistorySource.From(of, node, journal);
            MeshDifference difference = await queries.GetDifferenceAsync(source.Node, from, end, cancellationToken);
            return new DifferenceView(
                source.AsOf(difference.From), source.AsOf(difference.To), difference.Changes,
                difference.ConnectionsOpened, difference.ConnectionsClosed);
        });

        routes.MapGet("history/changes", async (
            DateTimeOffset from, DateTimeOffset? to, string? after, int? limit, [FromQuery(Name = "node")] string? of, IMeshQueries queries,
            INodeStatus node, IEventJournal journal, TimeProvider time, CancellationToken cancellationToken) =>
        {
            DateTimeOffset end = Check(from, to, time);
            if (limit is < 1 or > 1000) throw new MeshException(MeshError.InvalidConfiguration, "'limit' is 1 to 1000 items in a page.");
            ChangeFilter filter = new() { From = from, To = end, After = after, Limit = limit ?? 100 };
            HistorySource source = HistorySource.From(of, node, journal);
            HistoryPage<MeshChange> page = await queries.GetChangesAsync(source.Node, filter, cancellationToken);
            return new HistoryView<MeshChange>(page.Items, source.AsOf(page.AsOf), page.Next);
        });
    }

    private static DateTimeOffset Check(DateTimeOffset from, DateTimeOffset? to, TimeProvider time)
    {
        DateTimeOffset end = to ?? time.GetUtcNow();
        return from <= end ? end : throw new MeshException(MeshError.InvalidConfiguration, "'from' is after 'to'.");
    }
}
