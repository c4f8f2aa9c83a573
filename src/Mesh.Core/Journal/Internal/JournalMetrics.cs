using System.Collections.Concurrent;
using System.Diagnostics.Metrics;
using EventMesh.Diagnostics;

namespace EventMesh.Journal.Internal;

/// <summary>The journal's instruments; docs/telemetry.md lists them.</summary>
internal static class JournalMetrics
{
    // The meter lives as long as the process and its instruments can't be taken back, so the gauges sum over the journals of the moment.
    private static readonly ConcurrentDictionary<EventJournal, bool> Journals = new();

    private static readonly Counter<long> Events = MeshTelemetry.Meter.CreateCounter<long>(
        "eventmesh.journal.events", "{event}", "Events recorded.");

    private static readonly Histogram<double> AppendDuration = MeshTelemetry.Meter.CreateHistogram(
        "eventmesh.journal.append.duration", "s", "From the first attempt to append a batch to the store's acknowledgement.",
        advice: new InstrumentAdvice<double> { HistogramBucketBoundaries = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10] });

    private static readonly Counter<long> AppendFailures = MeshTelemetry.Meter.CreateCounter<long>(
        "eventmesh.journal.append.failures", "{attempt}", "Attempts to append that failed or whose outcome is unknown.");

    private static readonly Counter<long> SpooledEvents = MeshTelemetry.Meter.CreateCounter<long>(
        "eventmesh.journal.spooled", "{event}", "Events that went to the spool because the store did not acknowledge in time.");

    private static readonly Counter<long> SummarisedEvents = MeshTelemetry.Meter.CreateCounter<long>(
        "eventmesh.journal.summarised", "{event}", "Events of connections that were only counted because the spool was full or too many new peers came.");

    static JournalMetrics()
    {
        MeshTelemetry.Meter.CreateObservableGauge(
            "eventmesh.journal.state", () => Journals.Keys.Select(journal => (int)journal.Status.State).DefaultIfEmpty((int)JournalState.Stopped).Max(), "",
            "The journal's state: 0 live, 1 spooling, 2 draining, 3 stopped, 4 failed; the highest of the process.");
        MeshTelemetry.Meter.CreateObservableUpDownCounter(
            "eventmesh.journal.spool.size", () => Journals.Keys.Sum(journal => journal.Status.SpoolBytes), "By", "Bytes of the spool on disk.");
        MeshTelemetry.Meter.CreateObservableUpDownCounter(
            "eventmesh.journal.queue", () => Journals.Keys.Sum(journal => (long)journal.Status.Queued), "{event}", "Events in memory that nothing has taken yet.");
        MeshTelemetry.Meter.CreateObservableUpDownCounter(
            "eventmesh.journal.spool", () => Journals.Keys.Sum(journal => journal.Status.Spooled), "{event}", "Events in the spool.");
        MeshTelemetry.Meter.CreateObservableUpDownCounter(
            "eventmesh.journal.held_back", () => Journals.Keys.Sum(journal => (long)journal.Status.HeldBackPeers), "{peer}",
            "New peers that the log does not have yet because too many came.");
    }

    public static void Observe(EventJournal journal) => Journals[journal] = true;

    public static void Forget(EventJournal journal) => Journals.TryRemove(journal, out _);

    public static void Recorded(EventDescriptor descriptor)
    {
        if (Events.Enabled)
            Events.Add(1, new KeyValuePair<string, object?>("eventmesh.event", descriptor.WireName));
    }

    public static void Appended(TimeSpan duration)
    {
        if (AppendDuration.Enabled)
            AppendDuration.Record(duration.TotalSeconds);
    }

    public static void AppendFailed(MeshError error)
    {
        if (AppendFailures.Enabled)
            AppendFailures.Add(1, new KeyValuePair<string, object?>(MeshTelemetry.Attributes.ErrorType, error.ToString()));
    }

    public static void Summarised() => SummarisedEvents.Add(1);

    public static void Spooled(int count) => SpooledEvents.Add(count);
}
