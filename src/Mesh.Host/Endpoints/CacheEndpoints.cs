using EventMesh.Journal;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Routing;

namespace EventMesh.Host.Endpoints;

/// <summary><c>/v1/cache</c>: the bootstrap cache as the node has it in memory.</summary>
internal static class CacheEndpoints
{
    /// <summary>Maps the endpoints.</summary>
    public static void MapCache(this IEndpointRouteBuilder routes) =>
        routes.MapGet("cache", (IEventJournal journal) => journal.State.Cache.NewestFirst().Select(CacheEntryView.From));
}
