using System.Globalization;
using EventMesh.Marten.Queries;

namespace EventMesh.Host.Endpoints;

/// <summary>Says of projections what an operator should know.</summary>
internal static class ProjectionTrouble
{
    /// <summary>The first thing that is not as it should be; null when all is well.</summary>
    /// <param name="projections">The projections.</param>
    /// <param name="limit">For how long an event may wait for a projection.</param>
    public static string? Find(IEnumerable<ProjectionStatus> projections, TimeSpan limit)
    {
        List<string> found =
        [
            .. projections.Select(projection => projection switch
            {
                { State: ProjectionState.Paused } => $"projection {projection.Name} is paused at place {projection.NodeSeq}: {projection.PausedReason}",
                _ when projection.LagTime > limit => string.Create(
                    CultureInfo.InvariantCulture,
                    $"projection {projection.Name} is {projection.Lag} events and {projection.LagTime.TotalSeconds:0} s behind (limit {limit.TotalSeconds:0} s)"),
                _ => null,
            }).OfType<string>(),
        ];
        return found.Count == 0 ? null : string.Join("; ", found);
    }
}
