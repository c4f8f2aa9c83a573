using EventMesh.Journal;
using EventMesh.Marten.Audit;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Routing;

namespace EventMesh.Host.Endpoints;

/// <summary><c>/v1/audit</c> and <c>/v1/privacy</c>: whether the log is as it was recorded, and what may be taken out of it.</summary>
internal static class AuditEndpoints
{
    /// <summary>Maps the endpoints.</summary>
    public static void MapAudit(this IEndpointRouteBuilder routes)
    {
        routes.MapGet("audit/head", (ILogSealing node, CancellationToken cancellationToken) => node.SignHeadAsync(cancellationToken));

        routes.MapPost("audit/verify", (AuditRequest request, INodeStatus node, ILogAudit audit, CancellationToken cancellationToken) =>
            audit.VerifyAsync(node.NodeId, request.Head, cancellationToken));

        routes.MapPost("privacy/erase", async (ErasureRequest request, INodeStatus node, ILogErasing log, ILogPrivacy privacy, CancellationToken cancellationToken) =>
        {
            await log.ForgetAsync(request.Peer, cancellationToken);
            AuditErasure? erasure = await privacy.EraseAsync(node.NodeId, request.Peer, log.RecordAsync, cancellationToken);
            return erasure ?? new AuditErasure(0, request.Peer, 0);
        });
    }
}
