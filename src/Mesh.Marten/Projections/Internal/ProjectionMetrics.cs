using System.Collections.Concurrent;
using EventMesh.Diagnostics;

namespace EventMesh.Marten.Projections.Internal;

/// <summary>The runner's instrument; docs/telemetry.md lists it.</summary>
internal static class ProjectionMetrics
{
    // The meter lives as long as the process and its instruments can't be taken back, so the gauge sums over the runners of the moment.
    private static readonly ConcurrentDictionary<ProjectionRunner, bool> Runners = new();

    static ProjectionMetrics() =>
        MeshTelemetry.Meter.CreateObservableUpDownCounter(
            "eventmesh.projection.leading", () => Runners.Keys.Count(runner => runner.Term > 0), "{leader}",
            "1 where this process lets the projections of its database follow.");

    public static void Observe(ProjectionRunner runner) => Runners[runner] = true;

    public static void Forget(ProjectionRunner runner) => Runners.TryRemove(runner, out _);
}
