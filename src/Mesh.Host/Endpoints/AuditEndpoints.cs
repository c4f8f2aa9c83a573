using EventMesh.Journal;
using EventMesh.Marten.Audit;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Routing;

namespace EventMesh.Host.Endpoints;

/// <summary><c>/v1/audit</c>: whether the log is as it was recorded.</summary>
internal static class AuditEndpoints
{
    /// <summary>Maps the endpoints.</summary>
    public static void MapAudit(this IEndpointRouteBuilder routes)
    {
        routes.MapGet("audit/head", (ILogSealing node, CancellationToken cancellationToken) => node.SignHeadAsync(cancellationToken));

        routes.MapPost("audit/verify", (AuditRequest request, INodeStatus node, ILogAudit audit, CancellationToken cancellationToken) =>
            audit.VerifyAsync(node.NodeId, request.Head, cancellationToken));
    }
}
