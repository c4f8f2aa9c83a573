using EventMesh.Marten.Queries;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Mvc;
using Microsoft.AspNetCore.Routing;

namespace EventMesh.Host.Endpoints;

/// <summary><c>/v1/fleet</c>: what the projections know of all nodes that share the database.</summary>
internal static class FleetEndpoints
{
    /// <summary>Maps the endpoints.</summary>
    public static void MapFleet(this IEndpointRouteBuilder routes)
    {
        routes.MapGet("fleet", async ([FromServices] IFleetQueries fleet, CancellationToken cancellationToken) =>
            new FleetView(await fleet.GetLeaderAsync(cancellationToken), await fleet.GetNodesAsync(cancellationToken)));

        routes.MapGet("fleet/peers", ([FromServices] IFleetQueries fleet, CancellationToken cancellationToken) => fleet.GetPeersAsync(cancellationToken));

        routes.MapGet("fleet/cache", ([FromServices] IFleetQueries fleet, CancellationToken cancellationToken) => fleet.GetCacheAsync(cancellationToken));

        routes.MapGet("fleet/trust", ([FromServices] IFleetQueries fleet, CancellationToken cancellationToken) => fleet.GetTrustAsync(cancellationToken));
    }
}
