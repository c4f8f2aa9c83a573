using EventMesh.Events;
using EventMesh.Journal;
using EventMesh.Journal.Internal;
using EventMesh.Tests.Common.Journal;
using Microsoft.Extensions.Time.Testing;
using Shouldly;
using Xunit;

namespace EventMesh.Core.Tests.Journal;

/// <summary>Starts from the local replica: with the store, and while it is away.</summary>
public sealed class EventJournalWithoutStoreTests : IAsyncLifetime
{
    private static readonly MeshException Away = new(MeshError.StoreUnavailable, "The store is away, as the test wants it.");

    private readonly JournalRun _run = new();

    public ValueTask InitializeAsync()
    {
        _run.Store.IsExternal = true;
        return ValueTask.CompletedTask;
    }

    public ValueTask DisposeAsync() => _run.DisposeAsync();

    [Fact]
    public async Task A_restart_reads_only_what_the_replica_lacks()
    {
        EventJournal first = await _run.OpenAsync();
        for (var i = 1; i <= 30; i++)
            first.Record(EventSamples.Opened(i));
        await first.StopAsync("done", TestLimit.Token);

        EventJournal second = await _run.OpenAsync();

        _run.Store.LastReadAfter.ShouldBe(32);
        second.State.Connections.Open.ShouldBeEmpty();
        await second.StopAsync("done", TestLimit.Token);
        _run.Log.Count(recorded => recorded.Data is ConnectionClosed { Reason: CloseReason.Crash }).ShouldBe(30);
        _run.ShouldBeInOrder();
    }

    [Fact]
    public async Task A_replica_of_events_that_the_store_has_lost_is_not_used()
    {
        EventJournal first = await _run.OpenAsync();
        for (var i = 1; i <= 30; i++)
            first.Record(EventSamples.Opened(i));
        await first.StopAsync("done", TestLimit.Token);
        _run.Store.Restore(_run.Node, 11);

        EventJournal second = await _run.OpenAsync();

        _run.Store.LastReadAfter.ShouldBe(0);
        await second.StopAsync("done", TestLimit.Token);
        _run.Log.Count(recorded => recorded.Data is ConnectionClosed { Reason: CloseReason.Crash }).ShouldBe(10);
    }

    [Fact]
    public async Task A_node_that_never_saw_its_store_does_not_start_without_it()
    {
        EventJournal journal = _run.Create();

        journal.TryOpenWithoutStore(_run.Node, _run.Directory, _ => EventSamples.Started, Away, OpenStoreAsync).ShouldBeFalse();
        await journal.DisposeAsync();
    }

    [Fact]
    public async Task It_starts_with_the_state_it_had_and_brings_its_events_when_the_store_is_back()
    {
        EventJournal first = await _run.OpenAsync();
        first.Record(new IdentityCreated(EventSamples.Peer(7), "ecdsa-p256"));
        await first.WhenDurableAsync(first.Record(EventSamples.Opened(1)), TestLimit.Token);
        await first.DisposeAsync();
        _run.Store.IsAvailable = false;

        EventJournal second = OpenWithoutStore();
        second.State.Node.Identity.ShouldBe(EventSamples.Peer(7));
        second.State.Connections.Open.ShouldBeEmpty();
        second.Epoch.ShouldBe(2);
        second.Status.State.ShouldBe(JournalState.Spooling);
        await second.WhenDurableAsync(second.Record(EventSamples.Opened(2)), TestLimit.Token);
        _run.Log.Count.ShouldBe(3);

        _run.Store.IsAvailable = true;
        await _run.Store.WhenAsync(_run.Node, log => log.Count == 6, TestLimit.Token);
        RecordedEvent live = second.Record(EventSamples.Opened(3));
        await _run.Store.WhenAsync(_run.Node, log => log.Any(recorded => recorded.Id == live.Id), TestLimit.Token);
        await second.StopAsync("done", TestLimit.Token);

        _run.ShouldBeInOrder();
        _run.Log.Skip(3).ShouldAllBe(recorded => recorded.Epoch == 2);
        _run.Log.Skip(3).Select(recorded => recorded.Data.GetType()).ShouldBe(
            [typeof(NodeStarted), typeof(ConnectionClosed), typeof(ConnectionOpened), typeof(ConnectionOpened), typeof(NodeStopped)]);
    }

    [Fact]
    public async Task Starts_without_the_store_follow_one_another()
    {
        await (await _run.OpenAsync()).StopAsync("done", TestLimit.Token);
        _run.Store.IsAvailable = false;
        EventJournal second = OpenWithoutStore();
        await second.WhenDurableAsync(second.Record(EventSamples.Opened(1)), TestLimit.Token);
        await second.DisposeAsync();
        EventJournal third = OpenWithoutStore();
        third.Epoch.ShouldBe(3);
        await third.WhenDurableAsync(third.Record(EventSamples.Opened(2)), TestLimit.Token);
        await third.DisposeAsync();

        // The next start finds the store, and two epochs in the spool.
        _run.Store.IsAvailable = true;
        EventJournal fourth = await _run.OpenAsync();
        fourth.Epoch.ShouldBe(4);
        await fourth.StopAsync("done", TestLimit.Token);
        _run.ShouldBeInOrder();
        _run.Log.Select(recorded => recorded.Epoch).Distinct().ShouldBe([1, 2, 3, 4]);
        _run.Log.Count(recorded => recorded.Data is ConnectionClosed { Reason: CloseReason.Crash }).ShouldBe(2);
    }

    [Fact]
    public async Task Two_epochs_in_the_spool_are_claimed_when_the_store_comes_back_under_the_second()
    {
        await (await _run.OpenAsync()).StopAsync("done", TestLimit.Token);
        _run.Store.IsAvailable = false;
        await OpenWithoutStore().DisposeAsync();
        EventJournal third = OpenWithoutStore();

        _run.Store.IsAvailable = true;
        await _run.Store.WhenAsync(_run.Node, log => log.Count > 0 && log[^1].Epoch == 3, TestLimit.Token);
        await third.StopAsync("done", TestLimit.Token);
        _run.ShouldBeInOrder();
        _run.Log.Where(recorded => recorded.Data is NodeStarted).Select(recorded => recorded.Epoch).ShouldBe([1, 2, 3]);
    }

    [Fact]
    public async Task It_stops_and_keeps_the_spool_when_another_process_has_claimed_the_epoch()
    {
        await (await _run.OpenAsync()).StopAsync("done", TestLimit.Token);
        _run.Store.IsAvailable = false;
        EventJournal second = OpenWithoutStore();
        await second.WhenDurableAsync(second.Record(EventSamples.Opened(1)), TestLimit.Token);
        _run.Store.StealEpoch(_run.Node, EventSamples.Started);

        _run.Store.IsAvailable = true;
        MeshException failure = await second.Failed.WaitAsync(TestLimit.Token);

        failure.Error.ShouldBe(MeshError.EpochLost);
        failure.Message.ShouldContain(_run.SpoolPath);
        await second.DisposeAsync();
        _run.Log.Count.ShouldBe(3);
        (await Should.ThrowAsync<MeshException>(_run.OpenAsync)).Error.ShouldBe(MeshError.EpochLost);
    }

    [Fact]
    public async Task Events_that_the_replica_missed_stop_it_and_the_next_start_moves_the_spool_behind_them()
    {
        EventJournal first = await _run.OpenAsync();
        await first.StopAsync("done", TestLimit.Token);
        // As if the process had been killed between a commit and its copy.
        var late = new RecordedEvent(Guid.NewGuid(), 1, 3, _run.Log[^1].Time.AddMilliseconds(1), EventSamples.Opened(9), null);
        await _run.Store.AppendAsync(_run.Node, [late], TestLimit.Token);
        _run.Store.IsAvailable = false;
        EventJournal second = OpenWithoutStore();
        await second.WhenDurableAsync(second.Record(EventSamples.Opened(1)), TestLimit.Token);

        _run.Store.IsAvailable = true;
        MeshException failure = await second.Failed.WaitAsync(TestLimit.Token);
        failure.Message.ShouldContain("Start the node again");
        await second.DisposeAsync();
        EventJournal third = await _run.OpenAsync();
        await third.StopAsync("done", TestLimit.Token);

        _run.ShouldBeInOrder();
        _run.Log.Select(recorded => recorded.Epoch).Distinct().ShouldBe([1, 2, 3]);
        _run.Log[2].ShouldBe(late);
        _run.Log.Count(recorded => recorded.Data is ConnectionClosed { Reason: CloseReason.Crash }).ShouldBe(2);
    }

    [Fact]
    public async Task A_stop_while_the_store_is_away_leaves_everything_in_the_spool()
    {
        await (await _run.OpenAsync()).StopAsync("done", TestLimit.Token);
        _run.Store.IsAvailable = false;
        var clock = new FakeTimeProvider(_run.Log[^1].Time.AddMinutes(1));
        _run.Time = clock;
        EventJournal second = OpenWithoutStore();
        second.Record(EventSamples.Opened(1));
        Task stop = second.StopAsync("done", TestLimit.Token);
        while (!stop.IsCompleted)
        {
            clock.Advance(TimeSpan.FromSeconds(1));
            await Task.Yield();
        }
        await stop;

        _run.Time = TimeProvider.System;
        _run.Store.IsAvailable = true;
        await (await _run.OpenAsync()).StopAsync("done", TestLimit.Token);
        _run.ShouldBeInOrder();
        _run.Log.Count(recorded => recorded.Data is NodeStopped).ShouldBe(3);
    }

    [Fact]
    public async Task A_long_run_takes_a_snapshot_so_that_the_next_start_reads_little()
    {
        EventJournal first = await _run.OpenAsync();
        RecordedEvent last = first.Record(EventSamples.Opened(1));
        for (var i = 0; i < 20_000; i++)
            last = first.Record(new ReachabilityChanged(i % 2 == 0 ? Reachability.Reachable : Reachability.Unreachable));
        await first.WhenDurableAsync(last, TestLimit.Token);
        await first.StopAsync("done", TestLimit.Token);

        using (var replica = new LocalReplica(Microsoft.Extensions.Logging.Abstractions.NullLogger.Instance))
        {
            replica.Open(_run.Node, _run.Directory);
            replica.Load().ShouldNotBeNull().End.Position.NodeSeq.ShouldBe(20_003);
            replica.WantsSnapshot.ShouldBeFalse();
        }
        await (await _run.OpenAsync()).StopAsync("done", TestLimit.Token);
        _run.Store.LastReadAfter.ShouldBe(20_003);
    }

    private EventJournal OpenWithoutStore()
    {
        EventJournal journal = _run.Create();
        journal.TryOpenWithoutStore(_run.Node, _run.Directory, _ => EventSamples.Started, Away, OpenStoreAsync).ShouldBeTrue();
        return journal;
    }

    private Task OpenStoreAsync(CancellationToken cancellationToken) => _run.Store.OpenAsync(_run.Node, _run.Directory, cancellationToken);
}
