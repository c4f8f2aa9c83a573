using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Routing;

namespace EventMesh.Host.Endpoints;

/// <summary><c>/v1/node</c>: who the node is and what it runs on.</summary>
internal static class NodeEndpoints
{
    /// <summary>Maps the endpoints.</summary>
    public static void MapNode(this IEndpointRouteBuilder routes) => routes.MapGet("node", (INodeStatus node) => node.GetView());
}
