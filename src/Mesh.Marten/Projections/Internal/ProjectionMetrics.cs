using System.Collections.Concurrent;
using System.Diagnostics.Metrics;
using EventMesh.Diagnostics;

namespace EventMesh.Marten.Projections.Internal;

/// <summary>The instruments of projections; docs/telemetry.md lists them. The process that lets them follow reports, for all logs of the schema.</summary>
internal static class ProjectionMetrics
{
    private const string ProjectionTag = "eventmesh.projection";

    // The meter lives as long as the process and its instruments can't be taken back, so the gauges look at the runners of the moment.
    private static readonly ConcurrentDictionary<ProjectionRunner, bool> Runners = new();

    static ProjectionMetrics()
    {
        MeshTelemetry.Meter.CreateObservableGauge(
            "eventmesh.projection.lag", () => Measure(runner => runner.Lags), "{event}", "Events of all logs that a projection has not gone past yet.");
        MeshTelemetry.Meter.CreateObservableGauge(
            "eventmesh.projection.paused", () => Measure(runner => runner.Paused), "{log}", "Logs in which a projection can't fold what comes next.");
        MeshTelemetry.Meter.CreateObservableUpDownCounter(
            "eventmesh.projection.leading", () => Runners.Keys.Count(runner => runner.Term > 0), "{leader}",
            "1 where this process lets the projections of its database follow.");
    }

    public static void Observe(ProjectionRunner runner) => Runners[runner] = true;

    public static void Forget(ProjectionRunner runner) => Runners.TryRemove(runner, out _);

    private static IEnumerable<Measurement<long>> Measure(Func<ProjectionRunner, IReadOnlyDictionary<string, long>?> values) =>
        Runners.Keys.Select(values).OfType<IReadOnlyDictionary<string, long>>().SelectMany(all => all).GroupBy(one => one.Key, one => one.Value)
            .Select(group => new Measurement<long>(group.Sum(), new KeyValuePair<string, object?>(ProjectionTag, group.Key)));
}
