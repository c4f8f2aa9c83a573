using System.Diagnostics;
using EventMesh.Events;
using EventMesh.Journal;
using EventMesh.Projections;
using Microsoft.Extensions.Time.Testing;
using Shouldly;
using Xunit;

namespace EventMesh.Core.Tests.Journal;

public sealed class EventJournalRecordTests : IAsyncLifetime
{
    private readonly JournalRun _run = new();

    public ValueTask InitializeAsync() => ValueTask.CompletedTask;

    public ValueTask DisposeAsync() => _run.DisposeAsync();

    [Fact]
    public async Task A_new_node_starts_with_epoch_1_at_place_1()
    {
        EventJournal journal = await _run.OpenAsync();
        journal.Epoch.ShouldBe(1);
        journal.State.Node.IsRunning.ShouldBeTrue();
        RecordedEvent first = _run.Log.ShouldHaveSingleItem();
        (first.Epoch, first.NodeSeq).ShouldBe((1, 1L));
        first.Data.ShouldBe(EventSamples.Started);
        journal.IsDurable(first).ShouldBeTrue();
    }

    [Fact]
    public async Task An_event_changes_the_state_at_once_and_reaches_the_store_as_recorded()
    {
        EventJournal journal = await _run.OpenAsync();
        RecordedEvent recorded = journal.Record(EventSamples.Opened(7));
        journal.State.Connections.Open.Count.ShouldBe(1);
        await journal.WhenDurableAsync(recorded, TestLimit.Token);
        _run.Log[^1].ShouldBe(recorded);
        recorded.Id.Version.ShouldBe(7);
    }

    [Fact]
    public async Task Eight_recorders_leave_no_gap_and_one_order()
    {
        EventJournal journal = await _run.OpenAsync();
        const int each = 2000;
        using var together = new Barrier(8);
        RecordedEvent[][] recorded = await Task.WhenAll(Enumerable.Range(0, 8).Select(recorder => Task.Run(() =>
        {
            together.SignalAndWait(TestLimit.Token);
            return Enumerable.Range(0, each).Select(i => journal.Record(EventSamples.Opened((recorder * each) + i))).ToArray();
        })));
        await journal.StopAsync("done", TestLimit.Token);

        foreach (RecordedEvent[] own in recorded)
            own.Select(one => one.NodeSeq).ShouldBeInOrder(SortDirection.Ascending);
        _run.ShouldBeInOrder();
        _run.Log.Count.ShouldBe((8 * each) + 2);
        _run.Log.Skip(1).SkipLast(1).ShouldBe(recorded.SelectMany(own => own).OrderBy(one => one.NodeSeq));
    }

    [Fact]
    public async Task Time_goes_on_while_the_clock_is_set_back()
    {
        var clock = new FakeTimeProvider(new DateTimeOffset(2026, 11, 22, 12, 0, 0, TimeSpan.Zero).AddTicks(7));
        _run.Time = clock;
        EventJournal journal = await _run.OpenAsync();
        DateTimeOffset first = journal.Record(new NodeStopped("a")).Time;
        clock.AdjustTime(clock.GetUtcNow() - TimeSpan.FromHours(1));
        DateTimeOffset second = journal.Record(new NodeStopped("b")).Time;
        clock.Advance(TimeSpan.FromHours(2));
        DateTimeOffset third = journal.Record(new NodeStopped("c")).Time;

        second.ShouldBe(first.AddMicroseconds(1));
        third.ShouldBe(new DateTimeOffset(2026, 11, 22, 13, 0, 0, TimeSpan.Zero));
        // PostgreSQL keeps microseconds: a finer time would come back changed.
        new[] { first, second, third }.ShouldAllBe(time => time.UtcTicks % TimeSpan.TicksPerMicrosecond == 0 && time.Offset == TimeSpan.Zero);
    }

    [Fact]
    public async Task Time_goes_on_after_a_restart_with_the_clock_set_back()
    {
        var clock = new FakeTimeProvider(new DateTimeOffset(2026, 11, 22, 12, 0, 0, TimeSpan.Zero));
        _run.Time = clock;
        await (await _run.OpenAsync()).StopAsync("done", TestLimit.Token);
        clock.AdjustTime(clock.GetUtcNow() - TimeSpan.FromDays(1));
        await _run.OpenAsync();
        _run.ShouldBeInOrder();
    }

    [Fact]
    public async Task A_decision_comes_whole_without_others_between()
    {
        EventJournal journal = await _run.OpenAsync();
        using var together = new Barrier(4);
        await Task.WhenAll(Enumerable.Range(0, 4).Select(decider => Task.Run(() =>
        {
            together.SignalAndWait(TestLimit.Token);
            for (var i = 0; i < 200; i++)
            {
                IReadOnlyList<RecordedEvent> decided = journal.Decide(state =>
                    Enumerable.Range(0, 3).Select(part => EventSamples.Opened((state.Connections.Open.Count * 8) + part)));
                decided[2].NodeSeq.ShouldBe(decided[0].NodeSeq + 2);
            }
        })));
        // Each decision saw the state that all before it had made.
        journal.State.Connections.Open.Count.ShouldBe(4 * 200 * 3);
    }

    [Fact]
    public async Task A_decision_that_throws_leaves_nothing()
    {
        EventJournal journal = await _run.OpenAsync();
        MeshState before = journal.State;
        long place = journal.Status.LastRecorded;
        Should.Throw<FormatException>(() => journal.Decide(_ => Failing()));
        journal.State.ShouldBeSameAs(before);
        journal.Record(EventSamples.Opened(1)).NodeSeq.ShouldBe(place + 1);

        static IEnumerable<IMeshEvent> Failing()
        {
            yield return EventSamples.Opened(1);
            throw new FormatException();
        }
    }

    [Fact]
    public async Task A_decision_for_nothing_records_nothing()
    {
        EventJournal journal = await _run.OpenAsync();
        journal.Decide(_ => []).ShouldBeEmpty();
        journal.Status.LastRecorded.ShouldBe(1);
    }

    [Fact]
    public async Task A_decision_may_not_record()
    {
        EventJournal journal = await _run.OpenAsync();
        Should.Throw<InvalidOperationException>(() => journal.Decide(_ => [journal.Record(EventSamples.Opened(1)).Data]));
        journal.Status.LastRecorded.ShouldBe(1);
        journal.Record(EventSamples.Opened(1)).NodeSeq.ShouldBe(2);
    }

    [Fact]
    public async Task The_trace_context_is_kept()
    {
        EventJournal journal = await _run.OpenAsync();
        using Activity activity = new Activity("test").SetIdFormat(ActivityIdFormat.W3C).Start();
        RecordedEvent inside = journal.Record(EventSamples.Opened(1));
        activity.Stop();
        inside.TraceParent.ShouldBe(activity.Id);
        journal.Record(EventSamples.Opened(2)).TraceParent.ShouldBeNull();
    }

    [Fact]
    public async Task Nothing_is_recorded_before_open_and_after_stop()
    {
        EventJournal journal = _run.Create();
        Should.Throw<InvalidOperationException>(() => journal.Record(EventSamples.Opened(1)));
        await journal.OpenAsync(_run.Node, _run.Directory, _ => EventSamples.Started, TestLimit.Token);
        await journal.StopAsync("done", TestLimit.Token);
        Should.Throw<MeshException>(() => journal.Record(EventSamples.Opened(1))).Error.ShouldBe(MeshError.NodeStopped);
        _run.Log.Count.ShouldBe(2);
    }

    [Fact]
    public async Task An_event_that_is_not_registered_is_refused_before_it_has_a_place()
    {
        EventJournal journal = await _run.OpenAsync();
        Should.Throw<ArgumentException>(() => journal.Record(new Unregistered()));
        Should.Throw<ArgumentException>(() => journal.Decide(_ => [EventSamples.Opened(1), new Unregistered()]));
        journal.Status.LastRecorded.ShouldBe(1);
    }

    private sealed record Unregistered : IMeshEvent;
}
