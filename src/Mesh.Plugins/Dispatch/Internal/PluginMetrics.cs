using System.Diagnostics.Metrics;
using EventMesh.Diagnostics;

namespace EventMesh.Plugins.Dispatch.Internal;

/// <summary>The instruments of plugins; docs/plugins.md lists them.</summary>
internal static class PluginMetrics
{
    public static Histogram<double> ProcessDuration { get; } = MeshTelemetry.Meter.CreateHistogram(
        "messaging.process.duration", "s", "How long the handlers of a message, notification or request took.", tags: null,
        new InstrumentAdvice<double> { HistogramBucketBoundaries = [0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10] });

    public static Counter<long> Failures { get; } = MeshTelemetry.Meter.CreateCounter<long>(
        "eventmesh.plugin.failures", "{failure}", "Handlers that threw or ran out of time, and plugins that could not be loaded.");

    public static Counter<long> Dropped { get; } = MeshTelemetry.Meter.CreateCounter<long>(
        "eventmesh.plugin.queue.dropped", "{notification}", "Notifications dropped because newer ones came and the plugin's queue was full.");

    public static Counter<long> Refused { get; } = MeshTelemetry.Meter.CreateCounter<long>(
        "eventmesh.plugin.queue.refused", "{message}", "Messages and requests refused because the plugin's queue was full.");

    public static Counter<long> Quarantined { get; } = MeshTelemetry.Meter.CreateCounter<long>(
        "eventmesh.plugin.quarantined", "{plugin}", "Plugins that failed too often and receive nothing any more.");

    public static Counter<long> Muted { get; } = MeshTelemetry.Meter.CreateCounter<long>(
        "eventmesh.plugin.muted", "{peer}", "Peers of which a plugin gets nothing for a while because it failed at what they sent.");

    public static KeyValuePair<string, object?> Tag(string plugin) => new(MeshTelemetry.Attributes.Plugin, plugin);

    public static KeyValuePair<string, object?> Tag(MeshError error) => new(MeshTelemetry.Attributes.ErrorType, error.ToString());
}
