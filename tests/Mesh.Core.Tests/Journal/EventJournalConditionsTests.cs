using EventMesh.Events;
using EventMesh.Journal;
using Shouldly;
using Xunit;

namespace EventMesh.Core.Tests.Journal;

/// <summary>What may happen to the machine and the store of a node: none of it costs an event or stalls the recording.</summary>
public sealed class EventJournalConditionsTests : IAsyncLifetime
{
    private readonly JournalRun _run = new();

    public ValueTask InitializeAsync() => ValueTask.CompletedTask;

    public ValueTask DisposeAsync() => _run.DisposeAsync();

    [Fact]
    public async Task A_clock_that_is_set_back_an_hour_neither_stalls_nor_repeats_a_time()
    {
        var clock = new SteppingClock();
        _run.Time = clock;
        EventJournal journal = await _run.OpenAsync();
        for (var step = 0; step < 4; step++)
        {
            RecordedEvent? last = null;
            for (var i = 0; i < 50; i++)
                last = journal.Record(EventSamples.Opened((step * 100) + i));
            await journal.WhenDurableAsync(last!, TestLimit.Token);
            clock.Offset -= TimeSpan.FromHours(1);
        }
        await journal.StopAsync("done", TestLimit.Token);
        // The next process starts with the clock still behind.
        EventJournal next = await _run.OpenAsync();
        await next.WhenDurableAsync(next.Record(EventSamples.Opened(1000)), TestLimit.Token);
        await next.StopAsync("done", TestLimit.Token);
        _run.ShouldBeInOrder();
        _run.Log.Count.ShouldBeGreaterThanOrEqualTo(205);
    }

    [Fact]
    public async Task A_second_node_on_the_same_data_directory_is_refused_and_the_first_goes_on()
    {
        EventJournal first = await _run.OpenAsync();
        (await Should.ThrowAsync<MeshException>(_run.OpenAsync)).Error.ShouldBe(MeshError.DataDirectoryLocked);
        _run.Log.Count.ShouldBe(1);
        await first.WhenDurableAsync(first.Record(EventSamples.Opened(1)), TestLimit.Token);
        await first.StopAsync("done", TestLimit.Token);
        _run.ShouldBeInOrder();
        _run.Log.Count.ShouldBe(3);
    }

    [Fact]
    public async Task A_storm_of_joins_and_leaves_is_recorded_whole()
    {
        EventJournal journal = await _run.OpenAsync();
        const int peers = 1000;
        await Task.WhenAll(Enumerable.Range(0, 8).Select(part => Task.Run(() =>
        {
            for (int peer = part; peer < peers; peer += 8)
            {
                journal.Record(EventSamples.Opened(peer));
                journal.Record(EventSamples.Joined(peer));
                journal.Record(new PeerLeft(EventSamples.Peer(peer), CloseReason.Lost));
                journal.Record(new ConnectionClosed(EventSamples.Opened(peer).Connection, EventSamples.Peer(peer), CloseReason.Lost, 0, 0, 0, 0, TimeSpan.Zero));
            }
        })));
        journal.State.Connections.Open.ShouldBeEmpty();
        journal.State.Peers.Joined.ShouldBeEmpty();
        await journal.StopAsync("done", TestLimit.Token);
        _run.ShouldBeInOrder();
        _run.Log.Count.ShouldBe((4 * peers) + 2);
        foreach (IGrouping<Guid, RecordedEvent> connection in _run.Log.Where(one => one.Data is ConnectionOpened or ConnectionClosed)
            .GroupBy(one => one.Data is ConnectionOpened opened ? opened.Connection : ((ConnectionClosed)one.Data).Connection))
        {
            connection.Select(one => one.Data.GetType()).ShouldBe([typeof(ConnectionOpened), typeof(ConnectionClosed)]);
        }
    }

    [Fact]
    public async Task With_half_a_second_for_each_commit_events_are_durable_in_the_spool_and_then_in_the_store()
    {
        EventJournal journal = await _run.OpenAsync();
        _run.Store.CommitDelay = TimeSpan.FromMilliseconds(500);
        for (var i = 0; i < 20; i++)
        {
            for (var j = 0; j < 50; j++)
                journal.Record(EventSamples.Opened((i * 50) + j));
            RecordedEvent last = journal.Record(EventSamples.Joined(i));
            await journal.WhenDurableAsync(last, TestLimit.Token);
        }
        journal.Status.Spooled.ShouldBeGreaterThan(0);
        await _run.Store.WhenAsync(_run.Node, log => log.Count == 1021, TestLimit.Token);
        await journal.StopAsync("done", TestLimit.Token);
        _run.ShouldBeInOrder();
        // The spool gathers what comes while a commit is under way: the slower the store, the larger the batches.
        _run.Store.Batches.Count.ShouldBeLessThan(15);
    }

    private sealed class SteppingClock : TimeProvider
    {
        public TimeSpan Offset { get; set; }

        public override DateTimeOffset GetUtcNow() => System.GetUtcNow() + Offset;
    }
}
