using System.Text.Json;
using EventMesh.Events;
using EventMesh.Identity;
using EventMesh.Journal;
using EventMesh.Journal.Internal;
using EventMesh.Projections;
using Microsoft.Extensions.Time.Testing;
using Shouldly;
using Xunit;

namespace EventMesh.Core.Tests.Journal;

/// <summary>A month of the monthly streams opens with what is open, joined and cached, so that the months before it are not needed.</summary>
public sealed class SegmentOpeningTests : IAsyncLifetime
{
    private static readonly DateTimeOffset December = new(2026, 12, 1, 0, 0, 0, TimeSpan.Zero);
    private readonly JournalRun _run = new();
    private readonly FakeTimeProvider _clock = new(new DateTimeOffset(2026, 11, 22, 12, 0, 0, TimeSpan.Zero));

    public ValueTask InitializeAsync()
    {
        _run.Time = _clock;
        // Batches do not wait for the clock, which stands still.
        _run.Options.BatchSize = 1;
        return ValueTask.CompletedTask;
    }

    public ValueTask DisposeAsync() => _run.DisposeAsync();

    [Fact]
    public async Task The_first_event_of_a_month_follows_the_snapshots_of_both_families()
    {
        EventJournal journal = await _run.OpenAsync();
        journal.Record(EventSamples.Opened(1));
        journal.Record(EventSamples.Joined(2));
        journal.Record(new CacheEntryAdded(EventSamples.Peer(3), [EventSamples.EndPoint4], [1], ConnectionDirection.Inbound));
        _clock.AdjustTime(December);
        journal.Record(new PeerTrusted(EventSamples.Peer(1), "", "root"));

        RecordedEvent first = journal.Record(EventSamples.Joined(4));
        RecordedEvent second = journal.Record(EventSamples.Joined(5));

        first.Data.ShouldBeOfType<PeerJoined>().Peer.ShouldBe(EventSamples.Peer(4));
        second.NodeSeq.ShouldBe(first.NodeSeq + 1);
        await journal.StopAsync("done", TestLimit.Token);
        _run.ShouldBeInOrder();
        _run.Log.Select(recorded => recorded.Data.GetType()).ShouldBe(
        [
            typeof(NodeStarted), typeof(ConnectionOpened), typeof(PeerJoined), typeof(CacheEntryAdded), typeof(PeerTrusted), typeof(PeersSegmentOpened),
            typeof(CacheSegmentOpened), typeof(PeerJoined), typeof(PeerJoined), typeof(NodeStopped),
        ]);
        var peers = (PeersSegmentOpened)_run.Log[5].Data;
        peers.Month.ShouldBe("2026-12");
        peers.Connections.ShouldHaveSingleItem().Peer.ShouldBe(EventSamples.Peer(1));
        peers.Peers.ShouldHaveSingleItem().Peer.ShouldBe(EventSamples.Peer(2));
        ((CacheSegmentOpened)_run.Log[6].Data).Entries.ShouldHaveSingleItem().Peer.ShouldBe(EventSamples.Peer(3));
    }

    [Fact]
    public async Task A_decision_is_opened_within_its_unit_and_returned_without_the_snapshots()
    {
        EventJournal journal = await _run.OpenAsync();
        journal.Record(EventSamples.Joined(1));
        _clock.AdjustTime(December);

        IReadOnlyList<RecordedEvent> decided = journal.Decide(_ => [new PeerTrusted(EventSamples.Peer(1), "", "root"), EventSamples.Joined(2)]);

        decided.Select(recorded => recorded.Data.GetType()).ShouldBe([typeof(PeerTrusted), typeof(PeerJoined)]);
        decided[1].NodeSeq.ShouldBe(decided[0].NodeSeq + 3);
    }

    [Fact]
    public async Task What_a_crash_left_open_is_closed_in_the_month_of_the_start()
    {
        EventJournal journal = await _run.OpenAsync();
        await journal.WhenDurableAsync(journal.Record(EventSamples.Opened(1)), TestLimit.Token);
        await journal.DisposeAsync();
        _clock.AdjustTime(December);

        EventJournal next = await _run.OpenAsync();
        await next.StopAsync("done", TestLimit.Token);

        _run.Log.Select(recorded => recorded.Data.GetType()).ShouldBe(
        [
            typeof(NodeStarted), typeof(ConnectionOpened), typeof(NodeStarted), typeof(PeersSegmentOpened), typeof(CacheSegmentOpened),
            typeof(ConnectionClosed), typeof(NodeStopped),
        ]);
    }

    [Theory]
    [InlineData(-1, 11)]
    [InlineData(0, 12)]
    [InlineData(1, 12)]
    public async Task The_month_is_that_of_the_events_own_time(int microseconds, int month)
    {
        EventJournal journal = await _run.OpenAsync();
        journal.Record(EventSamples.Joined(1));
        _clock.AdjustTime(December.AddMicroseconds(microseconds));

        RecordedEvent recorded = journal.Record(EventSamples.Joined(2));

        recorded.Time.Month.ShouldBe(month);
        recorded.NodeSeq.ShouldBe(month == 11 ? 3 : 5);
    }

    [Fact]
    public async Task A_clock_set_back_into_the_month_before_opens_nothing()
    {
        EventJournal journal = await _run.OpenAsync();
        journal.Record(EventSamples.Joined(1));
        _clock.AdjustTime(December);
        RecordedEvent first = journal.Record(EventSamples.Joined(2));
        _clock.AdjustTime(December.AddHours(-1));

        RecordedEvent second = journal.Record(EventSamples.Joined(3));

        second.NodeSeq.ShouldBe(first.NodeSeq + 1);
        second.Time.ShouldBe(first.Time.AddMicroseconds(1));
    }

    [Theory]
    [InlineData(-3)]
    [InlineData(-2)]
    [InlineData(-1)]
    public async Task The_snapshots_and_the_event_stand_in_one_month_also_at_its_very_end(int microseconds)
    {
        EventJournal journal = await _run.OpenAsync();
        journal.Record(EventSamples.Joined(1));
        _clock.AdjustTime(December.AddMonths(1).AddMicroseconds(microseconds));

        RecordedEvent recorded = journal.Record(EventSamples.Joined(2));
        await journal.WhenDurableAsync(recorded, TestLimit.Token);

        recorded.NodeSeq.ShouldBe(5);
        _run.Log.Skip(2).Select(EventRegistry.Default.StreamKey).Select(key => key[^7..]).Distinct()
            .ShouldHaveSingleItem().ShouldBe(((PeersSegmentOpened)_run.Log[2].Data).Month);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(4)]
    public async Task Folding_from_the_last_opening_of_each_family_gives_the_state_of_the_whole_log(int seed)
    {
        var random = new Random(seed);
        EventJournal journal = await _run.OpenAsync();
        for (int i = 0; i < 600; i++)
        {
            _clock.Advance(TimeSpan.FromHours(random.Next(12)));
            journal.Decide(_ => [.. Enumerable.Range(0, random.Next(1, 4)).Select(_ => Any(random))]);
        }
        await journal.StopAsync("done", TestLimit.Token);
        IReadOnlyList<RecordedEvent> log = _run.Log;
        long opened = log.Last(recorded => recorded.Data is PeersSegmentOpened).NodeSeq;
        log.Count(recorded => recorded.Data is PeersSegmentOpened).ShouldBeGreaterThan(2);

        MeshState whole = Fold(log);
        MeshState kept = Fold(log.Where(recorded => recorded.NodeSeq >= opened || !SegmentState.IsMonthly(recorded.Data)));

        Text(kept).ShouldBe(Text(whole));
        Text(journal.State).ShouldBe(Text(whole));
        whole.Cache.Entries.ShouldNotBeEmpty();
        whole.Peers.Joined.ShouldNotBeEmpty();
        // At each opening the snapshot changes nothing.
        MeshState state = MeshState.Empty;
        foreach (RecordedEvent recorded in log)
        {
            MeshState after = MeshState.Apply(state, recorded);
            if (recorded.Data is PeersSegmentOpened or CacheSegmentOpened)
                Text(after with { Segments = state.Segments }).ShouldBe(Text(state));
            state = after;
        }
    }

    [Theory]
    [InlineData(5)]
    [InlineData(6)]
    [InlineData(7)]
    public async Task A_start_without_the_local_copy_folds_from_the_last_month_what_the_whole_log_gives(int seed)
    {
        var random = new Random(seed);
        EventJournal journal = await _run.OpenAsync();
        for (int i = 0; i < 400; i++)
        {
            _clock.Advance(TimeSpan.FromHours(random.Next(12)));
            // Every kind of event, so that a fold which comes to depend on another stream's past is found here.
            journal.Decide(_ => [Any(random), EventSamples.All[random.Next(EventSamples.All.Count)]]);
        }
        await journal.StopAsync("done", TestLimit.Token);
        IReadOnlyList<RecordedEvent> log = _run.Log;
        long month = (await _run.Store.FindMonthAsync(_run.Node, TestLimit.Token)).ShouldNotBeNull();
        month.ShouldBeGreaterThan(log.Count / 4);
        File.Delete(Path.Combine(_run.Directory, LocalReplica.FileName));
        MeshState? folded = null;

        EventJournal next = _run.Create();
        await next.OpenAsync(
            _run.Node, _run.Directory,
            state =>
            {
                folded = state;
                return EventSamples.Started;
            },
            TestLimit.Token);

        StateText.Of(folded!).ShouldBe(StateText.Of(Fold(log)));
        _run.Store.LastReadAfter.ShouldBe(month - 1);
    }

    [Fact]
    public async Task A_month_whose_second_snapshot_a_crash_cut_off_is_not_where_a_fold_begins()
    {
        EventJournal journal = await _run.OpenAsync();
        journal.Record(new CacheEntryAdded(EventSamples.Peer(3), [EventSamples.EndPoint4], [1], ConnectionDirection.Inbound));
        _clock.AdjustTime(December);
        await journal.WhenDurableAsync(journal.Record(EventSamples.Joined(4)), TestLimit.Token);
        await journal.DisposeAsync();
        _run.Store.Restore(_run.Node, _run.Log.ToList().FindIndex(recorded => recorded.Data is PeersSegmentOpened) + 1);
        File.Delete(Path.Combine(_run.Directory, LocalReplica.FileName));

        EventJournal next = await _run.OpenAsync();

        (await _run.Store.FindMonthAsync(_run.Node, TestLimit.Token)).ShouldBeNull();
        next.State.Cache.Entries.ShouldContainKey(EventSamples.Peer(3));
    }

    private static MeshState Fold(IEnumerable<RecordedEvent> log) => log.Aggregate(MeshState.Empty, MeshState.Apply);

    // Dictionaries in order of their keys: their own order depends on how they came about.
    private static string Text(MeshState state) => JsonSerializer.Serialize(
        new
        {
            Cache = state.Cache.Entries.Values.OrderBy(entry => entry.Peer),
            Peers = state.Peers.Joined.Values.OrderBy(peer => peer.Peer),
            Connections = state.Connections.Open.Values.OrderBy(open => open.Connection),
            Trusted = state.Trust.Trusted.OrderBy(entry => entry.Key),
            state.Segments,
            state.Node.IsRunning,
        },
        MeshJson.Options);

    private static IMeshEvent Any(Random random)
    {
        PeerId peer = EventSamples.Peer(random.Next(12));
        return random.Next(10) switch
        {
            0 => EventSamples.Opened(random.Next(12)),
            1 => new ConnectionClosed(EventSamples.Opened(random.Next(12)).Connection, peer, CloseReason.Idle, 1, 2, 3, 4, TimeSpan.FromSeconds(5)),
            2 => new PeerJoined(peer, Guid.NewGuid(), PeerKind.Node, [EventSamples.EndPoint6], "a/1"),
            3 => new PeerUpdated(peer, PeerKind.Client, []),
            4 => new PeerLeft(peer, CloseReason.Lost),
            5 => new CacheEntryAdded(peer, [EventSamples.EndPoint4], [1, 2], ConnectionDirection.Outbound),
            6 => new CacheEntryConfirmed(peer, null),
            7 => new CacheEntryEvicted(peer, EvictionReason.ByHand),
            8 => new DialFailed(EventSamples.EndPoint4, peer, MeshError.Unreachable, ""),
            _ => new PeerTrusted(peer, "", "root"),
        };
    }
}
