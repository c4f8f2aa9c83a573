using System.Collections.Concurrent;
using System.Diagnostics;
using System.Diagnostics.Metrics;
using EventMesh.Diagnostics;
using EventMesh.Events;
using EventMesh.Journal;
using Shouldly;
using Xunit;

namespace EventMesh.Core.Tests.Journal;

/// <summary>The names are API. Other tests' journals feed the same instruments, so amounts are at least what this test caused.</summary>
[Collection(nameof(TelemetryCollection))]
public sealed class EventJournalTelemetryTests : IAsyncLifetime
{
    private readonly JournalRun _run = new();

    public ValueTask InitializeAsync() => ValueTask.CompletedTask;

    public ValueTask DisposeAsync() => _run.DisposeAsync();

    [Fact]
    public async Task What_is_recorded_spooled_and_appended_is_measured()
    {
        var sums = new ConcurrentDictionary<string, double>();
        var units = new ConcurrentDictionary<string, string?>();
        using var listener = new MeterListener
        {
            InstrumentPublished = (instrument, own) =>
            {
                if (instrument.Meter.Name != MeshTelemetry.SourceName || !instrument.Name.StartsWith("eventmesh.journal.", StringComparison.Ordinal))
                    return;
                units[instrument.Name] = instrument.Unit;
                own.EnableMeasurementEvents(instrument);
            },
        };
        listener.SetMeasurementEventCallback<long>((instrument, value, tags, _) =>
        {
            sums.AddOrUpdate(instrument.Name, value, (_, sum) => sum + value);
            if (instrument.Name == "eventmesh.journal.events")
                sums.AddOrUpdate($"{tags[0].Key}={tags[0].Value}", value, (_, sum) => sum + value);
        });
        listener.SetMeasurementEventCallback<double>((instrument, _, _, _) => sums.AddOrUpdate(instrument.Name, 1, (_, sum) => sum + 1));
        listener.Start();

        EventJournal journal = await _run.OpenAsync();
        _run.Store.IsAvailable = false;
        for (var i = 0; i < 10; i++)
            await journal.WhenDurableAsync(journal.Record(EventSamples.Opened(i)), TestLimit.Token);
        sums.Clear();
        listener.RecordObservableInstruments();
        sums["eventmesh.journal.spool"].ShouldBeGreaterThanOrEqualTo(10);
        sums.ShouldContainKey("eventmesh.journal.queue");
        journal.Decide(_ => [EventSamples.Opened(11), EventSamples.Joined(11)]);
        await journal.WhenDurableAsync(journal.Record(EventSamples.Opened(12)), TestLimit.Token);
        _run.Store.IsAvailable = true;
        await journal.StopAsync("done", TestLimit.Token);

        sums["eventmesh.journal.events"].ShouldBeGreaterThanOrEqualTo(4);
        sums["eventmesh.event=peer.joined.v1"].ShouldBeGreaterThanOrEqualTo(1);
        sums["eventmesh.journal.spooled"].ShouldBeGreaterThanOrEqualTo(3);
        sums["eventmesh.journal.append.duration"].ShouldBeGreaterThanOrEqualTo(1);
        units["eventmesh.journal.append.duration"].ShouldBe("s");
        foreach (string name in (string[])["events", "spooled", "queue", "spool"])
            units[$"eventmesh.journal.{name}"].ShouldBe("{event}");
        units["eventmesh.journal.append.failures"].ShouldBe("{attempt}");
    }

    [Fact]
    public async Task An_append_is_an_activity_of_its_own()
    {
        var appends = new ConcurrentQueue<Activity>();
        using var listener = new ActivityListener
        {
            ShouldListenTo = source => source.Name == MeshTelemetry.SourceName,
            Sample = (ref ActivityCreationOptions<ActivityContext> _) => ActivitySamplingResult.AllData,
            ActivityStopped = appends.Enqueue,
        };
        ActivitySource.AddActivityListener(listener);
        using Activity start = new Activity("start").Start();
        // The stop ends the wait for a full batch, so that all come in one.
        _run.Options.BatchDelay = TimeSpan.FromMinutes(1);
        EventJournal journal = await _run.OpenAsync();
        const int batch = 377;
        for (var i = 0; i < batch - 1; i++)
            journal.Record(EventSamples.Opened(i));
        await journal.StopAsync("done", TestLimit.Token);

        Activity append = appends.Single(activity => activity.OperationName == "journal append" && Equals(activity.GetTagItem("eventmesh.journal.batch"), batch));
        append.Parent.ShouldBeNull();
        append.TraceId.ShouldNotBe(start.TraceId);
        append.Status.ShouldBe(ActivityStatusCode.Unset);
    }
}
