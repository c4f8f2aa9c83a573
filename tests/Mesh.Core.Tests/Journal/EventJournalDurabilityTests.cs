using EventMesh.Events;
using EventMesh.Journal;
using EventMesh.Tests.Common.Journal;
using Microsoft.Extensions.Time.Testing;
using Shouldly;
using Xunit;

namespace EventMesh.Core.Tests.Journal;

public sealed class EventJournalDurabilityTests : IAsyncLifetime
{
    private static readonly DateTimeOffset Noon = new(2026, 11, 23, 12, 0, 0, TimeSpan.Zero);

    private readonly JournalRun _run = new();

    public ValueTask InitializeAsync() => ValueTask.CompletedTask;

    public ValueTask DisposeAsync() => _run.DisposeAsync();

    [Fact]
    public async Task An_event_is_durable_when_the_store_has_acknowledged()
    {
        _run.Options.SpoolAfter = TimeSpan.FromMinutes(1);
        EventJournal journal = await _run.OpenAsync();
        _run.Store.WriteFaults = () => StoreFault.Hang;
        RecordedEvent recorded = journal.Record(EventSamples.Opened(1));
        await _run.Store.WhenAttemptedAsync(_run.Node, 2, TestLimit.Token);
        Task durable = journal.WhenDurableAsync(recorded, TestLimit.Token);
        journal.IsDurable(recorded).ShouldBeFalse();
        durable.IsCompleted.ShouldBeFalse();

        _run.Store.WriteFaults = null;
        _run.Store.Release();
        await durable;
        journal.IsDurable(recorded).ShouldBeTrue();
        _run.Log.ShouldContain(recorded);
        journal.Status.Spooled.ShouldBe(0);
    }

    [Fact]
    public async Task A_thousand_waiters_are_released_each_by_its_own_event()
    {
        EventJournal journal = await _run.OpenAsync();
        await Task.WhenAll(Enumerable.Range(1, 1000).Select(async number =>
        {
            RecordedEvent recorded = journal.Record(EventSamples.Opened(number));
            await journal.WhenDurableAsync(recorded, TestLimit.Token);
            journal.IsDurable(recorded).ShouldBeTrue();
        }));
    }

    [Fact]
    public async Task A_waiter_can_give_up()
    {
        _run.Options.SpoolAfter = TimeSpan.FromMinutes(1);
        EventJournal journal = await _run.OpenAsync();
        _run.Store.WriteFaults = () => StoreFault.Hang;
        RecordedEvent recorded = journal.Record(EventSamples.Opened(1));
        using var cancellation = new CancellationTokenSource();
        Task durable = journal.WhenDurableAsync(recorded, cancellation.Token);
        await cancellation.CancelAsync();
        await Should.ThrowAsync<OperationCanceledException>(() => durable);
    }

    [Fact]
    public async Task Batches_are_bounded()
    {
        _run.Options.BatchSize = 10;
        _run.Options.BatchDelay = TimeSpan.FromMinutes(1);
        EventJournal journal = await _run.OpenAsync();
        for (var i = 1; i <= 30; i++)
            journal.Record(EventSamples.Opened(i));
        await _run.Store.WhenAsync(_run.Node, log => log.Count == 31, TestLimit.Token);
        _run.Store.Batches.ShouldBe([1, 10, 10, 10]);
    }

    [Fact]
    public async Task An_event_that_comes_alone_is_not_kept_waiting()
    {
        var clock = new FakeTimeProvider(Noon);
        _run.Time = clock;
        _run.Options.BatchDelay = TimeSpan.FromSeconds(1);
        EventJournal journal = await _run.OpenAsync();
        clock.Advance(TimeSpan.FromSeconds(1));
        // The clock stands still: nothing but the event itself brings it to the store.
        await journal.WhenDurableAsync(journal.Record(EventSamples.Opened(1)), TestLimit.Token);

        RecordedEvent second = journal.Record(EventSamples.Opened(2));
        RecordedEvent third = journal.Record(EventSamples.Opened(3));
        Task durable = journal.WhenDurableAsync(third, TestLimit.Token);
        while (!durable.IsCompleted)
        {
            journal.IsDurable(second).ShouldBeFalse("the second follows the first and waits for others");
            clock.Advance(TimeSpan.FromMilliseconds(100));
            await Task.WhenAny(durable, Task.Delay(TimeSpan.FromMilliseconds(5), TestLimit.Token));
        }

        (clock.GetUtcNow() - Noon).ShouldBeGreaterThanOrEqualTo(TimeSpan.FromSeconds(2));
        _run.Store.Batches.ShouldBe([1, 1, 2]);
    }

    [Fact]
    public async Task The_store_is_told_of_a_full_batch_while_it_is_at_the_one_before()
    {
        _run.Options.BatchSize = 10;
        _run.Options.BatchDelay = TimeSpan.FromMinutes(1);
        _run.Options.SpoolAfter = TimeSpan.FromMinutes(1);
        EventJournal journal = await _run.OpenAsync();
        _run.Store.WriteFaults = () => StoreFault.Hang;
        journal.Decide(_ => Enumerable.Range(1, 10).Select(EventSamples.Opened));
        await _run.Store.WhenAttemptedAsync(_run.Node, 2, TestLimit.Token);
        RecordedEvent[] recorded = [.. journal.Decide(_ => Enumerable.Range(11, 25).Select(EventSamples.Opened))];

        _run.Store.Release();
        await _run.Store.WhenAsync(_run.Node, _ => _run.Store.LastPrepared.Count > 0, TestLimit.Token);

        _run.Store.LastPrepared.Select(each => each.NodeSeq).ShouldBe(recorded[10..20].Select(each => each.NodeSeq));
        journal.Status.Queued.ShouldBe(25);
        _run.Store.WriteFaults = null;
        _run.Store.Release();
        await journal.StopAsync("test", TestLimit.Token);
        _run.Store.Batches.ShouldBe([1, 10, 10, 10, 6]);
        _run.Store.LastPrepared[0].ShouldBe(recorded[10], "five events and the end are no full batch");
        _run.ShouldBeInOrder();
    }

    [Fact]
    public async Task What_was_announced_goes_to_the_spool_after_what_is_under_way()
    {
        _run.Options.BatchSize = 10;
        _run.Options.SpoolAfter = TimeSpan.FromMilliseconds(20);
        EventJournal journal = await _run.OpenAsync();
        _run.Store.WriteFaults = () => StoreFault.Hang;
        IReadOnlyList<RecordedEvent> recorded = journal.Decide(_ => Enumerable.Range(1, 25).Select(EventSamples.Opened));

        await journal.WhenDurableAsync(recorded[^1], TestLimit.Token);

        journal.Status.ShouldSatisfyAllConditions(
            status => status.Spooled.ShouldBe(25),
            status => status.LastCommitted.ShouldBe(1));
        _run.Store.WriteFaults = null;
        _run.Store.Release();
        await _run.Store.WhenAsync(_run.Node, log => log.Count == 26, TestLimit.Token);
        await journal.StopAsync("test", TestLimit.Token);
        _run.ShouldBeInOrder();
    }

    [Fact]
    public async Task What_waited_behind_a_batch_has_that_much_less_time_for_the_store()
    {
        var clock = new FakeTimeProvider(Noon);
        _run.Time = clock;
        _run.Options.BatchDelay = TimeSpan.FromMilliseconds(100);
        _run.Options.SpoolAfter = TimeSpan.FromMilliseconds(300);
        EventJournal journal = await _run.OpenAsync();
        clock.Advance(TimeSpan.FromSeconds(1));
        _run.Store.WriteFaults = () => StoreFault.Hang;
        RecordedEvent first = journal.Record(EventSamples.Opened(1));
        await _run.Store.WhenAttemptedAsync(_run.Node, 2, TestLimit.Token);
        RecordedEvent second = journal.Record(EventSamples.Opened(2));

        foreach (RecordedEvent recorded in (RecordedEvent[])[first, second])
        {
            Task durable = journal.WhenDurableAsync(recorded, TestLimit.Token);
            while (!durable.IsCompleted)
            {
                clock.Advance(TimeSpan.FromMilliseconds(10));
                await Task.WhenAny(durable, Task.Delay(TimeSpan.FromMilliseconds(50), TestLimit.Token));
            }
        }

        journal.Status.Spooled.ShouldBe(2);
        // 300 ms behind the first, and 100 of its own.
        (clock.GetUtcNow() - second.Time).ShouldBeInRange(TimeSpan.FromMilliseconds(380), TimeSpan.FromMilliseconds(550));
        _run.Store.WriteFaults = null;
        _run.Store.Release();
    }

    [Fact]
    public async Task A_follower_gets_every_event_in_order_from_now_on()
    {
        EventJournal journal = await _run.OpenAsync();
        journal.Record(EventSamples.Opened(1));
        IAsyncEnumerable<RecordedEvent> follow = journal.FollowAsync(TestLimit.Token);
        Task recording = Task.WhenAll(Enumerable.Range(0, 4).Select(recorder => Task.Run(async () =>
        {
            for (var i = 0; i < 4000; i++)
            {
                RecordedEvent recorded = journal.Record(EventSamples.Opened((recorder * 4000) + i));
                if (i % 100 == 0)
                    await journal.WhenDurableAsync(recorded, TestLimit.Token);
            }
        })));
        var places = new List<long>();
        await foreach (RecordedEvent recorded in follow)
        {
            places.Add(recorded.NodeSeq);
            if (places.Count == 16000)
                break;
        }
        await recording;
        places.ShouldBe(Enumerable.Range(3, 16000).Select(place => (long)place));
    }

    [Fact]
    public async Task A_follower_that_falls_behind_is_told_and_the_others_go_on()
    {
        EventJournal journal = await _run.OpenAsync();
        await using IAsyncEnumerator<RecordedEvent> slow = journal.FollowAsync(TestLimit.Token).GetAsyncEnumerator();
        for (var i = 0; i < 8193; i++)
            journal.Record(EventSamples.Opened(i));
        IAsyncEnumerable<RecordedEvent> late = journal.FollowAsync(TestLimit.Token);
        RecordedEvent last = journal.Record(EventSamples.Opened(1));

        for (var i = 0; i < 8192; i++)
        {
            (await slow.MoveNextAsync()).ShouldBeTrue();
            slow.Current.NodeSeq.ShouldBe(i + 2);
        }
        MeshException exception = await Should.ThrowAsync<MeshException>(async () => await slow.MoveNextAsync());
        exception.Error.ShouldBe(MeshError.QueueFull);
        await foreach (RecordedEvent recorded in late)
        {
            recorded.ShouldBe(last);
            break;
        }
    }

    [Fact]
    public async Task A_follower_ends_with_the_stop_as_the_last_event()
    {
        EventJournal journal = await _run.OpenAsync();
        IAsyncEnumerable<RecordedEvent> follow = journal.FollowAsync(TestLimit.Token);
        await journal.StopAsync("done", TestLimit.Token);
        var followed = new List<RecordedEvent>();
        await foreach (RecordedEvent recorded in follow)
            followed.Add(recorded);
        followed.ShouldHaveSingleItem().Data.ShouldBe(new NodeStopped("done"));
    }

    [Fact]
    public async Task A_lost_epoch_ends_the_journal()
    {
        EventJournal journal = await _run.OpenAsync();
        IAsyncEnumerable<RecordedEvent> follow = journal.FollowAsync(TestLimit.Token);
        RecordedEvent stolen = _run.Store.StealEpoch(_run.Node, EventSamples.Started);
        RecordedEvent recorded = journal.Record(EventSamples.Opened(1));
        Task durable = journal.WhenDurableAsync(recorded, TestLimit.Token);

        (await journal.Failed.WaitAsync(TestLimit.Token)).Error.ShouldBe(MeshError.EpochLost);
        (await Should.ThrowAsync<MeshException>(() => durable)).Error.ShouldBe(MeshError.EpochLost);
        Should.Throw<MeshException>(() => journal.Record(EventSamples.Opened(2))).Error.ShouldBe(MeshError.EpochLost);
        journal.Status.State.ShouldBe(JournalState.Failed);
        (await Should.ThrowAsync<MeshException>(async () =>
        {
            await foreach (RecordedEvent _ in follow)
            {
            }
        })).Error.ShouldBe(MeshError.EpochLost);
        (await Should.ThrowAsync<MeshException>(() => journal.StopAsync("lost", TestLimit.Token))).Error.ShouldBe(MeshError.EpochLost);
        _run.Log[^1].ShouldBe(stolen);
    }

    [Fact]
    public async Task A_commit_that_throws_is_neither_lost_nor_doubled()
    {
        EventJournal journal = await _run.OpenAsync();
        var faults = new Queue<StoreFault>([StoreFault.CommitThenFail, StoreFault.Unavailable, StoreFault.FailThenCommit]);
        _run.Store.WriteFaults = () => faults.TryDequeue(out StoreFault fault) ? fault : StoreFault.None;
        for (var i = 0; i < 5; i++)
        {
            journal.Record(EventSamples.Opened(i));
            int expected = i + 2;
            await _run.Store.WhenAsync(_run.Node, log => log.Count >= expected, TestLimit.Token);
        }
        await journal.StopAsync("done", TestLimit.Token);
        faults.ShouldBeEmpty();
        _run.ShouldBeInOrder();
        _run.Log.Count.ShouldBe(7);
    }

    [Fact]
    public async Task A_store_that_went_back_to_a_backup_ends_the_journal()
    {
        EventJournal journal = await _run.OpenAsync();
        await journal.WhenDurableAsync(journal.Record(EventSamples.Opened(1)), TestLimit.Token);
        _run.Store.Restore(_run.Node, 1);
        journal.Record(EventSamples.Opened(2));
        (await journal.Failed.WaitAsync(TestLimit.Token)).Error.ShouldBe(MeshError.EpochLost);
        _run.Log.Count.ShouldBe(1);
    }

    [Fact]
    public async Task A_claim_whose_outcome_is_unknown_is_settled()
    {
        foreach (StoreFault fault in (StoreFault[])[StoreFault.CommitThenFail, StoreFault.Unavailable, StoreFault.FailThenCommit])
        {
            var faults = new Queue<StoreFault>([fault]);
            _run.Store.WriteFaults = () => faults.TryDequeue(out StoreFault next) ? next : StoreFault.None;
            EventJournal journal = await _run.OpenAsync();
            await journal.StopAsync("done", TestLimit.Token);
            await journal.DisposeAsync();
        }
        _run.ShouldBeInOrder();
        _run.Log.Count(recorded => recorded.Data is NodeStarted).ShouldBe(3);
        _run.Log[^1].Epoch.ShouldBe(3);
    }

    [Fact]
    public async Task Of_two_processes_that_take_over_one_stops()
    {
        EventJournal first = await _run.OpenAsync();
        await using var elsewhere = new JournalRun();
        await using var second = new EventJournal(
            _run.Store, new EventSpool(), TimeProvider.System, Microsoft.Extensions.Options.Options.Create(new Node.MeshOptions()),
            Microsoft.Extensions.Logging.Abstractions.NullLogger<EventJournal>.Instance);
        await second.OpenAsync(_run.Node, elsewhere.Directory, _ => EventSamples.Started, TestLimit.Token);

        first.Record(EventSamples.Opened(1));
        (await first.Failed.WaitAsync(TestLimit.Token)).Error.ShouldBe(MeshError.EpochLost);
        second.Failed.IsCompleted.ShouldBeFalse();
        _run.ShouldBeInOrder();
    }
}
