using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace EventMesh.Host.Endpoints;

/// <summary><c>/health</c>: for supervisors and container health checks.</summary>
internal static class HealthEndpoints
{
    /// <summary>Maps the endpoints.</summary>
    public static void MapHealth(this IEndpointRouteBuilder routes)
    {
        // Live: the process answers. Ready: the node takes commands.
        // The whole: 200 as long as the node works, since a supervisor's restart would not bring a store back.
        routes.MapGet("health", (INodeStatus node) =>
        {
            HealthView health = node.GetHealth();
            return TypedResults.Json(
                health, statusCode: health.Status == HealthStatus.Unhealthy ? StatusCodes.Status503ServiceUnavailable : StatusCodes.Status200OK);
        });
        routes.MapGet("health/live", () => TypedResults.Text("live"));
        // Degraded is ready all the same: what follows the log is behind, the node is not.
        routes.MapGet("health/ready", async Task<IResult> (INodeStatus node, IProjectionControl projections, CancellationToken cancellationToken) =>
        {
            if (!node.IsRunning)
                return TypedResults.Text("not ready", statusCode: StatusCodes.Status503ServiceUnavailable);
            return TypedResults.Text(await projections.FindTroubleAsync(cancellationToken) is { } trouble ? $"degraded: {trouble}" : "ready");
        });
    }
}
