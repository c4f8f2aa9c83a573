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
        routes.MapGet("health/live", () => TypedResults.Text("live"));
        routes.MapGet("health/ready", IResult (INodeStatus node) => node.IsRunning
            ? TypedResults.Text("ready")
            : TypedResults.Text("not ready", statusCode: StatusCodes.Status503ServiceUnavailable));
    }
}
