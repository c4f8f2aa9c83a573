using System.Net;
using EventMesh.Bootstrap;
using EventMesh.Journal;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Routing;

namespace EventMesh.Host.Endpoints;

/// <summary><c>/v1/cache</c>: the bootstrap cache as the node has it in memory, and what operators change of it.</summary>
internal static class CacheEndpoints
{
    /// <summary>Maps the endpoints.</summary>
    public static void MapCache(this IEndpointRouteBuilder routes)
    {
        routes.MapGet("cache", (IEventJournal journal) => journal.State.Cache.NewestFirst().Select(CacheEntryView.From));

        routes.MapPost("cache", async (ConnectRequest request, IBootstrapCache cache, CancellationToken cancellationToken) =>
        {
            IPEndPoint endPoint = await PeersEndpoints.ResolveAsync(request.Address, cancellationToken);
            return CacheEntryView.From(await cache.AddAsync(endPoint, request.Expected, cancellationToken));
        });

        routes.MapDelete("cache/{peer}", async (string peer, IEventJournal journal, IBootstrapCache cache, CancellationToken cancellationToken) =>
        {
            PeerId id = PeerSelector.Select(peer, journal.State.Cache.Entries.Keys, "node in the cache", "mesh cache");
            return CacheEntryView.From(await cache.RemoveAsync(id, cancellationToken)
                ?? throw new MeshException(MeshError.NotConnected, $"Node {id.ToShortString()} is not in the cache. `mesh cache` lists those that are."));
        });

        routes.MapGet("cache/export", (IEventJournal journal) => CacheFile.From(journal.State.Cache.NewestFirst()));

        routes.MapPost("cache/import", (CacheFile file, IBootstrapCache cache, CancellationToken cancellationToken) =>
            cache.ImportAsync(file.ToRecords(), cancellationToken));
    }
}
