using EventMesh.Events;
using EventMesh.Journal;
using EventMesh.Tests.Common.Journal;
using Shouldly;
using Xunit;

namespace EventMesh.Core.Tests.Journal;

public sealed class EventJournalSpoolingTests : IAsyncLifetime
{
    private readonly JournalRun _run = new();

    public ValueTask InitializeAsync() => ValueTask.CompletedTask;

    public ValueTask DisposeAsync() => _run.DisposeAsync();

    [Fact]
    public async Task A_batch_that_the_store_does_not_acknowledge_is_durable_in_the_spool()
    {
        EventJournal journal = await _run.OpenAsync();
        _run.Store.WriteFaults = () => StoreFault.Hang;
        RecordedEvent recorded = journal.Record(EventSamples.Opened(1));
        await journal.WhenDurableAsync(recorded, TestLimit.Token);

        _run.Log.ShouldNotContain(recorded);
        JournalStatus status = journal.Status;
        status.State.ShouldBe(JournalState.Spooling);
        (status.Spooled, status.LastDurable, status.LastCommitted).ShouldBe((1L, 2L, 1L));
    }

    [Fact]
    public async Task A_store_that_comes_back_gets_everything_in_order_and_then_directly()
    {
        EventJournal journal = await _run.OpenAsync();
        _run.Store.IsAvailable = false;
        RecordedEvent last = journal.Record(EventSamples.Opened(0));
        for (var i = 1; i < 2000; i++)
        {
            last = journal.Record(EventSamples.Opened(i));
            if (i % 100 == 0)
                await journal.WhenDurableAsync(last, TestLimit.Token);
        }
        await journal.WhenDurableAsync(last, TestLimit.Token);
        journal.Status.State.ShouldBe(JournalState.Spooling);
        journal.Status.Spooled.ShouldBe(2000);
        _run.Log.Count.ShouldBe(1);

        _run.Store.IsAvailable = true;
        // Events that come during the drain stay behind the older ones.
        var count = 2001;
        while (journal.Status.State != JournalState.Live)
        {
            await journal.WhenDurableAsync(journal.Record(EventSamples.Opened(count++)), TestLimit.Token);
            TestLimit.Token.ThrowIfCancellationRequested();
        }
        await journal.WhenDurableAsync(journal.Record(EventSamples.Opened(count++)), TestLimit.Token);
        await _run.Store.WhenAsync(_run.Node, log => log.Count == count, TestLimit.Token);
        _run.ShouldBeInOrder();
        await journal.StopAsync("done", TestLimit.Token);
        journal.Status.Spooled.ShouldBe(0);
    }

    [Fact]
    public async Task The_batch_in_flight_that_commits_after_all_is_not_appended_again()
    {
        EventJournal journal = await _run.OpenAsync();
        _run.Store.WriteFaults = () => StoreFault.Hang;
        await journal.WhenDurableAsync(journal.Record(EventSamples.Opened(1)), TestLimit.Token);
        await journal.WhenDurableAsync(journal.Record(EventSamples.Opened(2)), TestLimit.Token);
        _run.Store.WriteFaults = null;
        _run.Store.Release();
        await _run.Store.WhenAsync(_run.Node, log => log.Count == 3, TestLimit.Token);
        await journal.StopAsync("done", TestLimit.Token);
        _run.ShouldBeInOrder();
        _run.Log.Count.ShouldBe(4);
    }

    [Fact]
    public async Task A_full_spool_keeps_events_in_memory_until_the_store_is_back()
    {
        _run.Options.SpoolLimit = 1;
        EventJournal journal = await _run.OpenAsync();
        _run.Store.IsAvailable = false;
        RecordedEvent recorded = journal.Record(EventSamples.Opened(1));
        await _run.Store.WhenAttemptedAsync(_run.Node, 2, TestLimit.Token);
        journal.IsDurable(recorded).ShouldBeFalse();
        journal.Status.Queued.ShouldBe(1);
        _run.Store.IsAvailable = true;
        await journal.WhenDurableAsync(recorded, TestLimit.Token);
        _run.Log.ShouldContain(recorded);
    }

    [Fact]
    public async Task A_full_queue_fails_the_journal_without_losing_what_it_took()
    {
        _run.Options.SpoolLimit = 1;
        EventJournal journal = await _run.OpenAsync();
        _run.Store.IsAvailable = false;
        var recorded = 0;
        MeshException exception = Should.Throw<MeshException>(() =>
        {
            // Two batches may be in the writer's hands.
            for (; recorded <= EventJournal.QueueCapacity + (2 * _run.Options.BatchSize); recorded++)
                journal.Record(new PluginUnloaded("never summarised"));
        });
        exception.Error.ShouldBe(MeshError.QueueFull);
        exception.Message.ShouldContain(_run.SpoolPath);
        recorded.ShouldBeGreaterThanOrEqualTo(EventJournal.QueueCapacity);
        (await journal.Failed).Error.ShouldBe(MeshError.QueueFull);

        _run.Store.IsAvailable = true;
        await journal.StopAsync("full", TestLimit.Token);
        _run.ShouldBeInOrder();
        _run.Log.Count.ShouldBe(recorded + 1);
    }

    [Fact]
    public async Task Stop_flushes_to_the_store()
    {
        _run.Options.BatchDelay = TimeSpan.FromMinutes(1);
        EventJournal journal = await _run.OpenAsync();
        for (var i = 0; i < 100; i++)
            journal.Record(EventSamples.Opened(i));
        await journal.StopAsync("told to", TestLimit.Token);
        _run.Log.Count.ShouldBe(102);
        _run.Log[^1].Data.ShouldBe(new NodeStopped("told to"));
        journal.Status.State.ShouldBe(JournalState.Stopped);
        journal.Failed.IsCompleted.ShouldBeFalse();
    }

    [Fact]
    public async Task Stop_leaves_to_the_spool_what_the_store_does_not_take_and_the_next_start_brings_it()
    {
        EventJournal journal = await _run.OpenAsync();
        _run.Store.IsAvailable = false;
        for (var i = 0; i < 100; i++)
            journal.Record(EventSamples.Opened(i));
        using var hurry = new CancellationTokenSource();
        await hurry.CancelAsync();
        await journal.StopAsync("told to", hurry.Token);
        _run.Log.Count.ShouldBe(1);

        _run.Store.IsAvailable = true;
        EventJournal next = await _run.OpenAsync();
        _run.ShouldBeInOrder();
        _run.Log[101].Data.ShouldBe(new NodeStopped("told to"));
        _run.Log[102].Data.ShouldBe(EventSamples.Started);
        next.Epoch.ShouldBe(2);
    }

    [Fact]
    public async Task Stop_without_store_and_spool_says_what_is_lost()
    {
        _run.Options.SpoolLimit = 1;
        EventJournal journal = await _run.OpenAsync();
        _run.Store.IsAvailable = false;
        RecordedEvent recorded = journal.Record(EventSamples.Opened(1));
        Task durable = journal.WhenDurableAsync(recorded, TestLimit.Token);
        using var hurry = new CancellationTokenSource();
        await hurry.CancelAsync();
        MeshException exception = await Should.ThrowAsync<MeshException>(() => journal.StopAsync("told to", hurry.Token));
        exception.Error.ShouldBe(MeshError.StoreUnavailable);
        exception.Message.ShouldStartWith("2 recorded events");
        await Should.ThrowAsync<MeshException>(() => durable);
    }
}
