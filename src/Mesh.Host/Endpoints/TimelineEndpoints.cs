using EventMesh.Host.Events;
using EventMesh.Journal;
using EventMesh.Marten.Queries;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Mvc;
using Microsoft.AspNetCore.Routing;

namespace EventMesh.Host.Endpoints;

/// <summary><c>/v1/history/timeline/{peer}</c>: every event of the log that concerns a peer, in pages.</summary>
internal static class TimelineEndpoints
{
    // Enough to tell one from several.
    private const int MaxCandidates = 2;

    /// <summary>Maps the endpoints.</summary>
    public static void MapTimeline(this IEndpointRouteBuilder routes) =>
        routes.MapGet("history/timeline/{peer}", async (
            string peer, DateTimeOffset? from, DateTimeOffset? to, string[]? type, SortOrder? sort, string? after, int? limit, [FromQuery(Name = "node")] string? of,
            IMeshQueries queries, INodeStatus node, IMesh mesh, IEventJournal journal, CancellationToken cancellationToken) =>
        {
            if (limit is < 1 or > 1000) throw new MeshException(MeshError.InvalidConfiguration, "'limit' is 1 to 1000 items in a page.");
            if (from > to) throw new MeshException(MeshError.InvalidConfiguration, "'from' is after 'to'.");
            TimelineFilter filter = new()
            {
                From = from,
                To = to,
                Types = EventTypes.Select(type),
                NewestFirst = sort == SortOrder.Newest,
                After = after,
                Limit = limit ?? 100,
            };
            HistorySource source = HistorySource.From(of, node, journal);
            PeerId id = await SelectAsync(peer, queries, source, mesh, journal, cancellationToken);
            HistoryPage<RecordedEvent> page = await queries.GetTimelineAsync(source.Node, id, filter, cancellationToken);
            return new TimelineView(id, [.. page.Items.Select(EventViews.From)], source.AsOf(page.AsOf), page.Next);
        });

    /// <summary>The peer that a text means, among all that the node has met; memory knows those that the projections do not have yet.</summary>
    private static async Task<PeerId> SelectAsync(
        string text, IMeshQueries queries, HistorySource source, IMesh mesh, IEventJournal journal, CancellationToken cancellationToken)
    {
        if (PeerId.TryParse(text, out PeerId peer)) return peer;
        IReadOnlyList<PeerId> met = text.Length < PeerSelector.MinLength
            ? []
            : await queries.FindPeerIdsAsync(source.Node, text.ToLowerInvariant(), MaxCandidates, cancellationToken);
        // Of another node memory knows nothing.
        IEnumerable<PeerId> known = source.IsOther ? met : met.Concat(mesh.Peers.Select(p => p.Peer)).Concat(journal.State.Cache.Entries.Keys)
            .Concat(journal.State.Trust.BlockedPeers.Keys).Concat(journal.State.Trust.Trusted.Keys).Concat(journal.State.Trust.RevokedKeys.Keys)
            .Concat(journal.State.Trust.Pins.Values.Select(p => p.Peer));
        return PeerSelector.Select(text, known.Distinct(), "known peer", "mesh peers");
    }
}
