using EventMesh.Marten;
using EventMesh.Marten.Retention;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.Options;

namespace EventMesh.Host.Endpoints;

/// <summary><c>/v1/segments</c>: the months of the log, and what moves and removes them.</summary>
internal static class SegmentEndpoints
{
    /// <summary>Maps the endpoints.</summary>
    public static void MapSegments(this IEndpointRouteBuilder routes)
    {
        routes.MapGet("segments", (ISegments segments, CancellationToken cancellationToken) => segments.ListAsync(cancellationToken));

        routes.MapPost("segments/archive", async (
            SegmentsRequest request, ISegments segments, IOptions<MeshRetentionOptions> options, CancellationToken cancellationToken) =>
        {
            TimeSpan age = Age(request.OlderThan, options.Value.CompressAfter, "CompressAfter");
            return new SegmentsChange(true, await segments.ArchiveAsync(age, cancellationToken));
        });

        routes.MapPost("segments/drop", async (
            SegmentsRequest request, ISegments segments, IOptions<MeshRetentionOptions> options, CancellationToken cancellationToken) =>
        {
            TimeSpan age = Age(request.OlderThan, options.Value.DropConnectionsAfter, "DropConnectionsAfter");
            return request.Yes
                ? new SegmentsChange(true, await segments.DropAsync(age, cancellationToken))
                : new SegmentsChange(false, await segments.FindDroppableAsync(age, cancellationToken));
        });
    }

    private static TimeSpan Age(TimeSpan? asked, TimeSpan? configured, string option) => asked switch
    {
        { } age when age < TimeSpan.Zero => throw new MeshException(MeshError.InvalidConfiguration, "The age of a month is not negative."),
        { } age => age,
        _ => configured ?? throw new MeshException(
            MeshError.InvalidConfiguration, $"How old? EventMesh:Retention:{option} is not set: give --older-than with a number of days."),
    };
}
