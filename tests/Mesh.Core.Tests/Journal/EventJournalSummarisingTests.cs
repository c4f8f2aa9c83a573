using EventMesh.Events;
using EventMesh.Journal;
using EventMesh.Projections;
using EventMesh.Tests.Common.Journal;
using Microsoft.Extensions.Time.Testing;
using Shouldly;
using Xunit;

namespace EventMesh.Core.Tests.Journal;

/// <summary>The spool at its limit: connections are counted, everything else goes on, and the fold of the log is the state all the time.</summary>
public sealed class EventJournalSummarisingTests : IAsyncLifetime
{
    private readonly JournalRun _run = new();

    public ValueTask InitializeAsync() => ValueTask.CompletedTask;

    public ValueTask DisposeAsync() => _run.DisposeAsync();

    [Fact]
    public async Task A_storm_of_connections_takes_no_space_beyond_the_limit()
    {
        EventJournal journal = await FillAsync();
        long before = journal.Status.Spooled;
        for (var i = 1000; i < 6000; i++)
        {
            RecordedEvent opened = journal.Record(EventSamples.Opened(i));
            opened.NodeSeq.ShouldBe(0);
            journal.IsDurable(opened).ShouldBeFalse();
            journal.Record(EventSamples.Joined(i));
            journal.Record(new PeerLeft(EventSamples.Peer(i), CloseReason.Lost));
            journal.Record(Closed(i));
        }
        (await Should.ThrowAsync<MeshException>(() => journal.WhenDurableAsync(journal.Record(EventSamples.Opened(7000)), TestLimit.Token))).Error
            .ShouldBe(MeshError.QueueFull);
        // What is never summarised goes on, and is durable at once.
        await journal.WhenDurableAsync(journal.Record(new PeerTrusted(EventSamples.Peer(1), "ours", "root")), TestLimit.Token);
        journal.Status.Spooled.ShouldBe(before + 1);
        journal.Status.IsSummarising.ShouldBeTrue();
        journal.Status.SpoolBytes.ShouldBeGreaterThanOrEqualTo(journal.Status.SpoolLimit);

        await ReturnAsync(journal);
        await journal.StopAsync("done", TestLimit.Token);
        var summary = _run.Log.Select(recorded => recorded.Data).OfType<ConnectionsSummarised>().Single();
        (summary.Opened, summary.Joined).ShouldBe((5001, 5000));
        summary.Closed.ShouldBe([new CloseCount(CloseReason.Lost, 5000)]);
        summary.Left.ShouldBe([new CloseCount(CloseReason.Lost, 5000)]);
        ShouldBeFoldOf(journal);
    }

    [Fact]
    public async Task What_stood_before_has_its_own_end_and_what_stands_after_its_own_beginning()
    {
        EventJournal journal = await FillAsync();
        PeerJoinedInLog(journal, 1).ShouldBeTrue();
        journal.Record(Closed(1)).NodeSeq.ShouldBeGreaterThan(0);
        journal.Record(new PeerLeft(EventSamples.Peer(1), CloseReason.Lost)).NodeSeq.ShouldBeGreaterThan(0);
        PeerJoinedInLog(journal, 1).ShouldBeFalse();
        // Back again, and somebody new: unknown to the log until there is space.
        journal.Record(EventSamples.Opened(1001)).NodeSeq.ShouldBe(0);
        journal.Record(EventSamples.Joined(1)).NodeSeq.ShouldBe(0);
        PeerJoinedInLog(journal, 1).ShouldBeFalse();

        await ReturnAsync(journal);
        PeerJoinedInLog(journal, 1).ShouldBeTrue();
        journal.State.Connections.Open.ShouldContainKey(EventSamples.Opened(1001).Connection);
        journal.Record(Closed(1001)).NodeSeq.ShouldBeGreaterThan(0);
        journal.Record(EventSamples.Opened(1002)).NodeSeq.ShouldBeGreaterThan(0);
        await journal.StopAsync("done", TestLimit.Token);
        ShouldBeFoldOf(journal);
        List<Type> types = [.. _run.Log.Select(recorded => recorded.Data.GetType())];
        int summary = types.LastIndexOf(typeof(ConnectionsSummarised));
        types.Skip(summary + 1).ShouldBe(
            [typeof(ConnectionOpened), typeof(PeerJoined), typeof(ConnectionClosed), typeof(ConnectionOpened), typeof(NodeStopped)]);
    }

    [Fact]
    public async Task A_crash_while_connections_are_counted_leaves_nothing_open_that_the_log_does_not_close()
    {
        EventJournal journal = await FillAsync();
        journal.Record(EventSamples.Opened(1001));
        journal.Record(EventSamples.Joined(1001));
        await journal.WhenDurableAsync(journal.Record(Closed(2)), TestLimit.Token);
        await journal.DisposeAsync();

        _run.Store.IsAvailable = true;
        EventJournal next = await _run.OpenAsync();
        next.State.Connections.Open.ShouldBeEmpty();
        next.State.Peers.Joined.ShouldBeEmpty();
        await next.StopAsync("done", TestLimit.Token);
        ShouldBeFoldOf(next);
        _run.Log.ShouldNotContain(recorded => recorded.Data is ConnectionClosed && ((ConnectionClosed)recorded.Data).Connection == EventSamples.Opened(1001).Connection);
    }

    [Fact]
    public async Task Counts_become_one_event_every_ten_seconds_and_the_rest_at_the_stop()
    {
        var clock = new FakeTimeProvider(DateTimeOffset.UnixEpoch.AddYears(50));
        _run.Time = clock;
        _run.Options.BatchDelay = TimeSpan.Zero;
        _run.Options.SpoolLimit = 1;
        EventJournal journal = await _run.OpenAsync();
        _run.Store.WriteFaults = () => StoreFault.Hang;
        await SummariseAsync(journal, clock);
        long last = journal.LastNodeSeq;
        for (var minute = 1; minute <= 3; minute++)
        {
            for (var i = 0; i < 50; i++)
                journal.Record(EventSamples.Opened((minute * 100) + i));
            journal.LastNodeSeq.ShouldBe(last + minute - 1);
            clock.Advance(TimeSpan.FromSeconds(10));
            journal.LastNodeSeq.ShouldBe(last + minute);
        }
        // Nothing to tell, no event.
        clock.Advance(TimeSpan.FromSeconds(20));
        journal.LastNodeSeq.ShouldBe(last + 3);
        journal.Record(Closed(101));
        await ReturnAndStopAsync(journal, clock);
        _run.Log.Select(recorded => recorded.Data).OfType<ConnectionsSummarised>().Select(summary => summary.Opened).ShouldBe([50, 50, 50, 0]);
        _run.Log[^1].Data.ShouldBe(new NodeStopped("done"));
        ShouldBeFoldOf(journal);
    }

    [Fact]
    public async Task A_summary_that_is_the_first_event_of_a_month_follows_what_opens_it()
    {
        var clock = new FakeTimeProvider(new DateTimeOffset(2026, 11, 30, 23, 59, 0, TimeSpan.Zero));
        _run.Time = clock;
        _run.Options.BatchSize = 1;
        _run.Options.BatchDelay = TimeSpan.Zero;
        _run.Options.SpoolLimit = 1;
        EventJournal journal = await _run.OpenAsync();
        await journal.WhenDurableAsync(journal.Record(EventSamples.Opened(1)), TestLimit.Token);
        _run.Store.WriteFaults = () => StoreFault.Hang;
        await SummariseAsync(journal, clock);
        journal.Record(EventSamples.Opened(101)).NodeSeq.ShouldBe(0);
        long last = journal.LastNodeSeq;
        clock.Advance(TimeSpan.FromMinutes(1));
        journal.LastNodeSeq.ShouldBe(last + 3);

        await ReturnAndStopAsync(journal, clock);

        _run.Log.Where(recorded => recorded.NodeSeq > last).Take(3).Select(recorded => recorded.Data.GetType())
            .ShouldBe([typeof(PeersSegmentOpened), typeof(CacheSegmentOpened), typeof(ConnectionsSummarised)]);
        ShouldBeFoldOf(journal);
    }

    private static bool PeerJoinedInLog(EventJournal journal, int number) => journal.State.Peers.Joined.ContainsKey(EventSamples.Peer(number));

    private static ConnectionClosed Closed(int number) =>
        new(EventSamples.Opened(number).Connection, EventSamples.Peer(number), CloseReason.Lost, 0, 0, 0, 0, TimeSpan.Zero);

    /// <summary>Lets the spool, which has no room at all, be found full while the store hangs.</summary>
    private static async Task SummariseAsync(EventJournal journal, FakeTimeProvider clock)
    {
        journal.Record(new PluginUnloaded("first"));
        await clock.RunUntilAsync(() => journal.Status.IsSummarising);
    }

    /// <summary>Lets the store answer again, and stops the journal.</summary>
    private async Task ReturnAndStopAsync(EventJournal journal, FakeTimeProvider clock)
    {
        Task stop = journal.StopAsync("done", TestLimit.Token);
        _run.Store.WriteFaults = null;
        _run.Store.Release();
        // The writer may be waiting to try again; a stop gives it 5 s.
        for (TimeSpan passed = TimeSpan.Zero; !stop.IsCompleted; await Task.WhenAny(stop, Task.Delay(10, TestLimit.Token)))
        {
            if (passed >= TimeSpan.FromSeconds(4)) continue;
            clock.Advance(TimeSpan.FromMilliseconds(20));
            passed += TimeSpan.FromMilliseconds(20);
        }
        await stop;
    }

    /// <summary>A journal whose spool is full and whose store is away, with some connections and a peer in the log.</summary>
    private async Task<EventJournal> FillAsync()
    {
        _run.Options.SpoolLimit = 128 * 1024;
        EventJournal journal = await _run.OpenAsync();
        for (var i = 1; i <= 10; i++)
            journal.Record(EventSamples.Opened(i));
        await journal.WhenDurableAsync(journal.Record(EventSamples.Joined(1)), TestLimit.Token);
        _run.Store.IsAvailable = false;
        while (!journal.Status.IsSummarising)
            await journal.WhenDurableAsync(journal.Record(new PluginUnloaded("fills the spool")), TestLimit.Token);
        return journal;
    }

    private async Task ReturnAsync(EventJournal journal)
    {
        _run.Store.IsAvailable = true;
        await _run.Store.WhenAsync(_run.Node, log => log.Any(recorded => recorded.Data is ConnectionsSummarised), TestLimit.Token);
        journal.Status.IsSummarising.ShouldBeFalse();
    }

    private void ShouldBeFoldOf(EventJournal journal)
    {
        _run.ShouldBeInOrder();
        MeshState folded = _run.Log.Aggregate(MeshState.Empty, MeshState.Apply);
        StateText.Of(journal.State).ShouldBe(StateText.Of(folded));
    }
}
