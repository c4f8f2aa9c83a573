using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.Hosting;

namespace EventMesh.Host.Endpoints;

/// <summary><c>/v1/projections</c>: how far the stored projections are, and folding them anew.</summary>
internal static class ProjectionsEndpoints
{
    /// <summary>Maps the endpoints.</summary>
    public static void MapProjections(this IEndpointRouteBuilder routes)
    {
        routes.MapGet("projections", async (IProjectionControl projections, CancellationToken cancellationToken) =>
            (await projections.ListAsync(cancellationToken)).Select(ProjectionView.From));

        // Answered when readers see the new tables. A client that goes away, or a node that stops, interrupts it; asked for again it goes on.
        routes.MapPost("projections/{name}/rebuild", async (
            string name, IProjectionControl projections, IHostApplicationLifetime lifetime, CancellationToken cancellationToken) =>
        {
            using CancellationTokenSource ended = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, lifetime.ApplicationStopping);
            try
            {
                await projections.RebuildAsync(name, ended.Token);
            }
            catch (OperationCanceledException) when (lifetime.ApplicationStopping.IsCancellationRequested && !cancellationToken.IsCancellationRequested)
            {
                throw new MeshException(MeshError.NodeStopped, $"The node stops: the rebuild of projection '{name}' is interrupted. Asked for again, it goes on.");
            }
            return ProjectionView.From((await projections.ListAsync(cancellationToken)).Single(projection => projection.Name == name));
        });
    }
}
