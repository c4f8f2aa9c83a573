using EventMesh.Events;
using EventMesh.Journal;
using EventMesh.Tests.Common.Journal;
using Microsoft.Extensions.Time.Testing;
using Shouldly;
using Xunit;

namespace EventMesh.Core.Tests.Journal;

public sealed class EventJournalRestartTests : IAsyncLifetime
{
    private readonly JournalRun _run = new();

    public ValueTask InitializeAsync() => ValueTask.CompletedTask;

    public ValueTask DisposeAsync() => _run.DisposeAsync();

    [Fact]
    public async Task A_restart_after_a_stop_goes_on_with_the_next_epoch_and_closes_nothing()
    {
        EventJournal first = await _run.OpenAsync();
        first.Record(new IdentityCreated(EventSamples.Peer(1), "ecdsa-p256"));
        await first.StopAsync("done", TestLimit.Token);
        EventJournal second = await _run.OpenAsync();
        second.Epoch.ShouldBe(2);
        second.State.Node.Identity.ShouldBe(EventSamples.Peer(1));
        await second.StopAsync("done", TestLimit.Token);
        _run.ShouldBeInOrder();
        _run.Log.Select(recorded => recorded.Data.GetType()).ShouldBe(
            [typeof(NodeStarted), typeof(IdentityCreated), typeof(NodeStopped), typeof(NodeStarted), typeof(NodeStopped)]);
    }

    [Fact]
    public async Task The_start_event_is_made_from_the_folded_state()
    {
        EventJournal first = await _run.OpenAsync();
        first.Record(new IdentityCreated(EventSamples.Peer(9), "ecdsa-p256"));
        await first.StopAsync("done", TestLimit.Token);
        EventJournal second = _run.Create();
        await second.OpenAsync(_run.Node, _run.Directory, state => EventSamples.Started with { Peer = state.Node.Identity!.Value }, TestLimit.Token);
        _run.Log[^1].Data.ShouldBe(EventSamples.Started with { Peer = EventSamples.Peer(9) });
    }

    [Fact]
    public async Task What_a_crash_left_open_is_closed_before_anything_else()
    {
        EventJournal first = await _run.OpenAsync();
        first.Record(EventSamples.Opened(1));
        first.Record(EventSamples.Opened(2));
        first.Record(new ConnectionClosed(EventSamples.Opened(2).Connection, EventSamples.Peer(2), CloseReason.Lost, 0, 0, 0, 0, TimeSpan.Zero));
        await first.WhenDurableAsync(first.Record(EventSamples.Joined(1)), TestLimit.Token);
        await first.DisposeAsync();

        EventJournal second = await _run.OpenAsync();
        second.State.Connections.Open.ShouldBeEmpty();
        second.State.Peers.Joined.ShouldBeEmpty();
        await second.StopAsync("done", TestLimit.Token);
        _run.ShouldBeInOrder();
        _run.Log.Count.ShouldBe(9);
        _run.Log[5].Data.ShouldBe(EventSamples.Started);
        var closed = _run.Log[6].Data.ShouldBeOfType<ConnectionClosed>();
        (closed.Connection, closed.Peer, closed.Reason).ShouldBe((EventSamples.Opened(1).Connection, EventSamples.Peer(1), CloseReason.Crash));
        closed.Duration.ShouldBeGreaterThan(TimeSpan.Zero);
        _run.Log[7].Data.ShouldBe(new PeerLeft(EventSamples.Peer(1), CloseReason.Crash));
    }

    [Fact]
    public async Task What_was_durable_in_the_spool_survives_a_crash_and_is_folded()
    {
        EventJournal first = await _run.OpenAsync();
        _run.Store.IsAvailable = false;
        for (var i = 1; i <= 50; i++)
            await first.WhenDurableAsync(first.Record(EventSamples.Opened(i)), TestLimit.Token);
        await first.DisposeAsync();
        _run.Log.Count.ShouldBe(1);

        _run.Store.IsAvailable = true;
        EventJournal second = await _run.OpenAsync();
        await second.StopAsync("done", TestLimit.Token);
        _run.ShouldBeInOrder();
        _run.Log.Take(51).ShouldAllBe(recorded => recorded.Epoch == 1);
        _run.Log.Count(recorded => recorded.Data is ConnectionClosed { Reason: CloseReason.Crash }).ShouldBe(50);
    }

    [Fact]
    public async Task Spooled_events_that_the_store_has_are_dropped()
    {
        EventJournal first = await _run.OpenAsync();
        _run.Store.WriteFaults = () => StoreFault.CommitThenFail;
        _run.Store.ReadFaults = () => StoreFault.Unavailable;
        RecordedEvent recorded = first.Record(EventSamples.Opened(1));
        await first.WhenDurableAsync(recorded, TestLimit.Token);
        await first.WhenDurableAsync(first.Record(EventSamples.Opened(2)), TestLimit.Token);
        await first.DisposeAsync();
        _run.Log.ShouldContain(recorded);

        _run.Store.IsAvailable = true;
        await (await _run.OpenAsync()).StopAsync("done", TestLimit.Token);
        _run.ShouldBeInOrder();
        _run.Log.Count(one => one.Data is ConnectionOpened).ShouldBe(2);
    }

    [Fact]
    public async Task A_spool_that_another_process_has_overtaken_is_kept_and_refused()
    {
        EventJournal first = await _run.OpenAsync();
        _run.Store.IsAvailable = false;
        await first.WhenDurableAsync(first.Record(EventSamples.Opened(1)), TestLimit.Token);
        await first.DisposeAsync();
        _run.Store.IsAvailable = true;
        _run.Store.StealEpoch(_run.Node, EventSamples.Started);

        for (var attempt = 0; attempt < 2; attempt++)
        {
            MeshException exception = await Should.ThrowAsync<MeshException>(_run.OpenAsync);
            exception.Error.ShouldBe(MeshError.EpochLost);
            exception.Message.ShouldContain(_run.SpoolPath);
        }
        _run.Log.Count.ShouldBe(2);
    }

    [Fact]
    public async Task A_spool_of_an_older_epoch_whose_events_the_store_has_is_no_reason_to_refuse()
    {
        EventJournal first = await _run.OpenAsync();
        _run.Store.WriteFaults = () => StoreFault.CommitThenFail;
        _run.Store.ReadFaults = () => StoreFault.Unavailable;
        await first.WhenDurableAsync(first.Record(EventSamples.Opened(1)), TestLimit.Token);
        await first.DisposeAsync();
        _run.Store.IsAvailable = true;
        _run.Store.StealEpoch(_run.Node, EventSamples.Started);

        EventJournal second = await _run.OpenAsync();
        second.Epoch.ShouldBe(3);
        _run.ShouldBeInOrder();
    }

    [Fact]
    public async Task A_store_restored_from_an_older_copy_is_refused()
    {
        EventJournal first = await _run.OpenAsync();
        await first.WhenDurableAsync(first.Record(EventSamples.Opened(1)), TestLimit.Token);
        _run.Store.IsAvailable = false;
        await first.WhenDurableAsync(first.Record(EventSamples.Opened(2)), TestLimit.Token);
        await first.DisposeAsync();

        await using var copy = new JournalRun();
        await (await copy.OpenAsync()).DisposeAsync();
        await using var second = new EventJournal(
            copy.Store, new EventSpool(), TimeProvider.System, Microsoft.Extensions.Options.Options.Create(new Node.MeshOptions()),
            Microsoft.Extensions.Logging.Abstractions.NullLogger<EventJournal>.Instance);
        MeshException exception = await Should.ThrowAsync<MeshException>(() =>
            second.OpenAsync(_run.Node, _run.Directory, _ => EventSamples.Started, TestLimit.Token));
        exception.Error.ShouldBe(MeshError.EpochLost);
        exception.Message.ShouldContain("restored");
        copy.Log.Count.ShouldBe(1);
    }

    [Fact]
    public async Task A_damaged_spool_fails_the_start_with_its_name()
    {
        await (await _run.OpenAsync()).DisposeAsync();
        await File.WriteAllBytesAsync(_run.SpoolPath, Enumerable.Repeat((byte)7, 8192).ToArray(), TestLimit.Token);
        MeshException exception = await Should.ThrowAsync<MeshException>(_run.OpenAsync);
        exception.Error.ShouldBe(MeshError.DataDirectoryUnusable);
        exception.Message.ShouldContain(_run.SpoolPath);
    }

    [Fact]
    public async Task A_store_that_is_away_fails_the_start()
    {
        _run.Store.IsAvailable = false;
        (await Should.ThrowAsync<MeshException>(_run.OpenAsync)).Error.ShouldBe(MeshError.StoreUnavailable);
    }

    [Fact]
    public async Task A_claim_that_the_store_never_acknowledges_fails_the_start()
    {
        var clock = new FakeTimeProvider(DateTimeOffset.UnixEpoch.AddYears(50));
        _run.Time = clock;
        _run.Store.WriteFaults = () => StoreFault.Hang;
        Task opening = _run.OpenAsync();
        await _run.Store.WhenAttemptedAsync(_run.Node, 1, TestLimit.Token);
        clock.Advance(TimeSpan.FromSeconds(31));
        (await Should.ThrowAsync<MeshException>(() => opening)).Error.ShouldBe(MeshError.StoreUnavailable);
    }
}
