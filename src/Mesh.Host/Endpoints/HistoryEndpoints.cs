using EventMesh.Journal;
using EventMesh.Marten.Queries;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace EventMesh.Host.Endpoints;

/// <summary><c>/v1/history/...</c>: what was so at a time, from the stored projections, in pages.</summary>
internal static class HistoryEndpoints
{
    /// <summary>Maps the endpoints.</summary>
    public static void MapHistory(this IEndpointRouteBuilder routes)
    {
        routes.MapGet("history/peers", async (
            [AsParameters] HistoryRequest request, IMeshQueries queries, INodeStatus node, IEventJournal journal, TimeProvider time,
            CancellationToken cancellationToken) =>
        {
            HistorySource source = HistorySource.From(request.Node, node, journal);
            HistoryPage<Projections.JoinedPeer> page = await queries.FindPeersAsync(source.Node, request.ToFilter(time), cancellationToken);
            return View(page, JoinedPeerView.From, source);
        });

        routes.MapGet("history/cache", async (
            [AsParameters] HistoryRequest request, IMeshQueries queries, INodeStatus node, IEventJournal journal, TimeProvider time,
            CancellationToken cancellationToken) =>
        {
            HistorySource source = HistorySource.From(request.Node, node, journal);
            HistoryPage<Projections.BootstrapCacheEntry> page =
                await queries.FindCacheEntriesAsync(source.Node, request.ToFilter(time), cancellationToken);
            return View(page, CacheEntryView.From, source);
        });

        routes.MapGet("history/connections", async (
            [AsParameters] HistoryRequest request, CloseReason? reason, ConnectionDirection? direction, IMeshQueries queries, INodeStatus node,
            IEventJournal journal, TimeProvider time, CancellationToken cancellationToken) =>
        {
            HistorySource source = HistorySource.From(request.Node, node, journal);
            HistoryFilter common = request.ToFilter(time);
            ConnectionFilter filter = new()
            {
                OpenAt = common.At,
                PeerPrefix = common.PeerPrefix,
                Reason = reason,
                Direction = direction,
                OldestFirst = common.OldestFirst,
                After = common.After,
                Limit = common.Limit,
            };
            return View(await queries.FindConnectionsAsync(source.Node, filter, cancellationToken), ConnectionView.From, source);
        });
    }

    private static HistoryView<TView> View<T, TView>(HistoryPage<T> page, Func<T, TView> view, HistorySource source) =>
        new([.. page.Items.Select(view)], source.AsOf(page.AsOf), page.Next);
}
