using EventMesh.Events;
using EventMesh.Identity;
using EventMesh.Journal;
using EventMesh.Projections;
using EventMesh.Tests.Common.Journal;
using Microsoft.Extensions.Time.Testing;
using Shouldly;
using Xunit;

namespace EventMesh.Core.Tests.Journal;

/// <summary>New peers beyond the budget: nothing of them is half in the log, and the fold of the log is the state all the time.</summary>
public sealed class EventJournalNewPeersTests : IAsyncLifetime
{
    private const int Budget = 5;

    private readonly JournalRun _run = new();
    private readonly FakeTimeProvider _clock = new(new DateTimeOffset(2026, 11, 20, 12, 0, 0, TimeSpan.Zero));

    public ValueTask InitializeAsync()
    {
        _run.Time = _clock;
        _run.Options.BatchDelay = TimeSpan.Zero;
        _run.Options.NewPeersPerMinute = Budget;
        return ValueTask.CompletedTask;
    }

    public ValueTask DisposeAsync() => _run.DisposeAsync();

    [Fact]
    public async Task A_thousand_new_keys_in_a_minute_bring_sixty_into_the_log_and_a_summary_every_ten_seconds()
    {
        _run.Options.NewPeersPerMinute = 60;
        EventJournal journal = await _run.OpenAsync();
        long before = journal.LastNodeSeq;
        for (int i = 0; i < 1000; i++)
        {
            Join(journal, i);
            Leave(journal, i);
            _clock.Advance(TimeSpan.FromMilliseconds(59));
        }
        // Five events each.
        journal.LastNodeSeq.ShouldBeInRange(before + 300, before + 306);
        journal.Status.HeldBackPeers.ShouldBe(0);
        await StopAsync(journal);
        Summaries().Sum(summary => summary.NewPeers).ShouldBe(940);
        Summaries().Sum(summary => summary.Left.Sum(left => left.Count)).ShouldBe(940);
    }

    [Fact]
    public async Task Held_back_peers_that_still_stand_come_into_the_log_the_oldest_first_when_there_is_budget_again()
    {
        EventJournal journal = await _run.OpenAsync();
        for (int i = 1; i <= 9; i++) Join(journal, i);
        journal.State.Peers.Joined.Count.ShouldBe(Budget);
        journal.Status.HeldBackPeers.ShouldBe(4);
        Leave(journal, 7);
        Task known = journal.WhenKnownAsync(EventSamples.Peer(8), TestLimit.Token);
        known.IsCompleted.ShouldBeFalse();
        _clock.Advance(TimeSpan.FromSeconds(50));
        known.IsCompleted.ShouldBeFalse();
        long last = journal.LastNodeSeq;

        _clock.Advance(TimeSpan.FromSeconds(20));

        await known;
        journal.State.Peers.Joined.Keys.ShouldBe(new[] { 1, 2, 3, 4, 5, 6, 8, 9 }.Select(EventSamples.Peer), ignoreOrder: true);
        journal.LastNodeSeq.ShouldBe(last + 9);
        // Peers like others from now on.
        journal.Record(new PeerUpdated(EventSamples.Peer(8), PeerKind.Client, [])).NodeSeq.ShouldBe(last + 10);
        Leave(journal, 8);
        Join(journal, 8).NodeSeq.ShouldBeGreaterThan(0);
        await StopAsync(journal);
        List<IMeshEvent> log = [.. _run.Log.SkipWhile(recorded => recorded.NodeSeq <= last).Take(9).Select(recorded => recorded.Data)];
        log.Chunk(3).ShouldAllBe(unit => unit[0] is CertificateAccepted && unit[1] is ConnectionOpened && unit[2] is PeerJoined);
        log.OfType<PeerJoined>().Select(joined => joined.Peer).ShouldBe(new[] { 6, 8, 9 }.Select(EventSamples.Peer));
    }

    [Fact]
    public async Task A_crash_while_peers_are_held_back_closes_nothing_that_the_log_does_not_know()
    {
        EventJournal journal = await _run.OpenAsync();
        for (int i = 1; i <= 9; i++) Join(journal, i);
        await journal.WhenDurableAsync(journal.Record(new PluginUnloaded("last")), TestLimit.Token);
        await journal.DisposeAsync();

        EventJournal next = await _run.OpenAsync();
        next.State.Peers.Joined.ShouldBeEmpty();
        next.Status.HeldBackPeers.ShouldBe(0);
        await StopAsync(next);
        _run.Log.Select(recorded => recorded.Data).OfType<PeerLeft>().Select(left => left.Peer).ShouldBe(Enumerable.Range(1, 5).Select(EventSamples.Peer), ignoreOrder: true);
    }

    [Fact]
    public async Task A_month_that_begins_meanwhile_opens_with_what_the_log_knows()
    {
        _clock.SetUtcNow(new DateTimeOffset(2026, 11, 30, 23, 59, 30, TimeSpan.Zero));
        EventJournal journal = await _run.OpenAsync();
        for (int i = 1; i <= 6; i++) Join(journal, i);
        _clock.Advance(TimeSpan.FromSeconds(70));
        journal.State.Peers.Joined.Count.ShouldBe(6);
        await StopAsync(journal);
        int opened = _run.Log.ToList().FindIndex(recorded => recorded.Data is PeersSegmentOpened);
        ((PeersSegmentOpened)_run.Log[opened].Data).Peers.Count.ShouldBe(5);
        _run.Log.Skip(opened).Select(recorded => recorded.Data).OfType<PeerJoined>().Single().Peer.ShouldBe(EventSamples.Peer(6));
    }

    [Fact]
    public async Task A_recorder_that_lets_nothing_flow_can_be_held_back_too()
    {
        EventJournal journal = await _run.OpenAsync();
        using (ExecutionContext.SuppressFlow())
        {
            for (int i = 1; i <= 6; i++) Join(journal, i);
        }
        journal.Status.HeldBackPeers.ShouldBe(1);
        await StopAsync(journal);
    }

    [Theory]
    [InlineData("pin")]
    [InlineData("trust")]
    [InlineData("block")]
    [InlineData("import")]
    [InlineData("dial")]
    public async Task Whom_somebody_here_has_decided_about_is_not_held_back_any_more(string how)
    {
        EventJournal journal = await _run.OpenAsync();
        for (int i = 1; i <= 8; i++) Join(journal, i);
        PeerId peer = EventSamples.Peer(8);
        long last = journal.LastNodeSeq;
        IMeshEvent decision = how switch
        {
            "pin" => new PeerPinned("host:1", peer, PinOrigin.ByHand, "root"),
            "trust" => new PeerTrusted(peer, "ours", "root"),
            "block" => new PeerBlocked(peer, "not ours", null, "root"),
            "import" => new CacheEntryAdded(peer, [EventSamples.EndPoint4], [], ConnectionDirection.Outbound),
            _ => new PeerDiscovered(peer, EventSamples.EndPoint4, DiscoverySource.PeerExchange),
        };
        // Alone and in a unit.
        RecordedEvent recorded = how == "pin" ? journal.Record(decision) : journal.Decide(_ => [decision]).ShouldHaveSingleItem();
        recorded.Data.ShouldBe(decision);
        recorded.NodeSeq.ShouldBe(last + 4);
        Leave(journal, 8).NodeSeq.ShouldBe(last + 6);
        journal.Status.HeldBackPeers.ShouldBe(2);
        await StopAsync(journal);
        _run.Log.Where(one => one.NodeSeq > last).Take(4).Select(one => one.Data.GetType())
            .ShouldBe([typeof(CertificateAccepted), typeof(ConnectionOpened), typeof(PeerJoined), decision.GetType()]);
    }

    [Fact]
    public async Task Whom_we_have_dialled_by_our_own_choice_neither_waits_nor_takes_a_place_of_the_budget()
    {
        EventJournal journal = await _run.OpenAsync();
        for (int i = 1; i <= 20; i++)
        {
            PeerId peer = EventSamples.Peer(i);
            journal.Decide(_ =>
            [
                new CertificateAccepted(peer, "", DateTimeOffset.UnixEpoch, TrustMode.Encrypted), new PeerDiscovered(peer, EventSamples.EndPoint4, DiscoverySource.Contact),
                EventSamples.Opened(i),
            ]).Count.ShouldBe(3);
        }
        for (int i = 21; i <= 20 + Budget; i++) Join(journal, i).NodeSeq.ShouldBeGreaterThan(0);
        Join(journal, 21 + Budget).NodeSeq.ShouldBe(0);
        await StopAsync(journal);
    }

    [Fact]
    public async Task A_block_of_our_limits_an_erasure_and_a_failed_dial_bring_nobody_into_the_log()
    {
        EventJournal journal = await _run.OpenAsync();
        for (int i = 1; i <= 6; i++) Join(journal, i);
        PeerId peer = EventSamples.Peer(6);
        long last = journal.LastNodeSeq;
        journal.Record(new PeerErased(peer, 0, []));
        journal.Record(new DialFailed(EventSamples.EndPoint4, peer, MeshError.Unreachable, ""));
        journal.Record(new PeerBlocked(peer, "too many offences", null, TrustAuthor.Limits));
        Leave(journal, 6).NodeSeq.ShouldBe(0);
        journal.LastNodeSeq.ShouldBe(last + 3);
        // It gains nothing by the block either.
        Join(journal, 6).NodeSeq.ShouldBe(0);
        await StopAsync(journal);
    }

    [Fact]
    public async Task Changes_of_a_key_wait_with_the_new_peer_that_tells_of_them()
    {
        EventJournal journal = await _run.OpenAsync();
        for (int i = 1; i <= Budget; i++) Join(journal, i);
        // Two strangers claim to follow the same key, by a change in between.
        Accept(journal, 22);
        journal.Decide(_ => [Change(20, 21), Change(21, 22)]).ShouldBeEmpty();
        Accept(journal, 23);
        journal.Decide(_ => [Change(20, 23)]).ShouldBeEmpty();
        journal.State.Keys.Successors.ShouldBeEmpty();
        // One that follows a known peer is that peer.
        Accept(journal, 24);
        journal.Decide(_ => [Change(1, 24)]).ShouldHaveSingleItem();
        journal.Status.HeldBackPeers.ShouldBe(2);
        _clock.Advance(TimeSpan.FromSeconds(70));
        journal.Status.HeldBackPeers.ShouldBe(0);
        journal.State.Keys.NewestOf(EventSamples.Peer(20)).ShouldBe(EventSamples.Peer(22), "who came first");
        await StopAsync(journal);
        _run.Log.Select(recorded => recorded.Data).OfType<KeySucceeded>().Select(change => change.Successor)
            .ShouldBe(new[] { 24, 21, 22 }.Select(EventSamples.Peer));
    }

    [Fact]
    public async Task A_decision_on_a_former_key_concerns_the_held_back_peer_that_has_had_it()
    {
        EventJournal journal = await _run.OpenAsync();
        for (int i = 1; i <= Budget; i++) Join(journal, i);
        Accept(journal, 22);
        journal.Decide(_ => [Change(20, 22)]);
        journal.Record(new PeerBlocked(EventSamples.Peer(20), "stolen", null, "root"));
        journal.Status.HeldBackPeers.ShouldBe(0);
        journal.State.SamePeer(EventSamples.Peer(22)).ShouldContain(EventSamples.Peer(20));
        await StopAsync(journal);
    }

    [Fact]
    public async Task While_the_spool_is_full_too_nobody_comes_out_and_an_operators_decision_still_brings_the_key_in()
    {
        _run.Options.SpoolLimit = 1;
        EventJournal journal = await _run.OpenAsync();
        for (int i = 1; i <= 8; i++) Join(journal, i);
        _run.Store.WriteFaults = () => StoreFault.Hang;
        journal.Record(new PluginUnloaded("first"));
        await _clock.RunUntilAsync(() => journal.Status.IsSummarising);
        _clock.Advance(TimeSpan.FromMinutes(2));
        journal.Status.HeldBackPeers.ShouldBe(3);
        journal.Record(new PeerTrusted(EventSamples.Peer(7), "ours", "root")).NodeSeq.ShouldBeGreaterThan(0);
        journal.Status.HeldBackPeers.ShouldBe(2);
        journal.State.Node.KnownKeys.ShouldContain(EventSamples.Peer(7));
        journal.State.Peers.Joined.ShouldNotContainKey(EventSamples.Peer(7), "connections are counted");
        Leave(journal, 8).NodeSeq.ShouldBe(0);

        _run.Store.WriteFaults = null;
        _run.Store.Release();
        while (journal.Status.IsSummarising || journal.Status.HeldBackPeers > 0)
        {
            _clock.Advance(TimeSpan.FromMilliseconds(100));
            await Task.Delay(1, TestLimit.Token);
        }
        journal.State.Peers.Joined.Keys.ShouldBe(Enumerable.Range(1, 7).Select(EventSamples.Peer), ignoreOrder: true);
        await StopAsync(journal);
    }

    private static KeySucceeded Change(int from, int to) => new(EventSamples.Peer(from), EventSamples.Peer(to), to, DateTimeOffset.UnixEpoch);

    private static void Accept(EventJournal journal, int number) => journal.Decide(
        state => state.Node.KnownKeys.Contains(EventSamples.Peer(number)) ? [] : [new CertificateAccepted(EventSamples.Peer(number), "CN=x", DateTimeOffset.UnixEpoch, TrustMode.Encrypted)]);

    private static RecordedEvent Join(EventJournal journal, int number)
    {
        Accept(journal, number);
        journal.Record(EventSamples.Opened(number));
        return journal.Record(EventSamples.Joined(number));
    }

    private static RecordedEvent Leave(EventJournal journal, int number)
    {
        journal.Record(new ConnectionClosed(EventSamples.Opened(number).Connection, EventSamples.Peer(number), CloseReason.Lost, 1, 2, 3, 4, TimeSpan.Zero));
        return journal.Record(new PeerLeft(EventSamples.Peer(number), CloseReason.Lost));
    }

    private IEnumerable<ConnectionsSummarised> Summaries() => _run.Log.Select(recorded => recorded.Data).OfType<ConnectionsSummarised>();

    /// <summary>Stops the journal; the log is in order, its fold is the state, and no peer is half in it.</summary>
    private async Task StopAsync(EventJournal journal)
    {
        Task stop = journal.StopAsync("done", TestLimit.Token);
        await _clock.RunUntilAsync(() => stop.IsCompleted);
        await stop;
        _run.ShouldBeInOrder();
        StateText.Of(journal.State).ShouldBe(StateText.Of(_run.Log.Aggregate(MeshState.Empty, MeshState.Apply)));
        HashSet<PeerId> keys = [];
        HashSet<Guid> open = [];
        HashSet<PeerId> joined = [];
        foreach (IMeshEvent data in _run.Log.Select(recorded => recorded.Data))
        {
            switch (data)
            {
                case CertificateAccepted e:
                    keys.Add(e.Peer).ShouldBeTrue();
                    break;
                case ConnectionOpened e:
                    keys.ShouldContain(e.Peer);
                    open.Add(e.Connection).ShouldBeTrue();
                    break;
                case ConnectionClosed e:
                    open.Remove(e.Connection).ShouldBeTrue();
                    break;
                case PeerJoined e:
                    keys.ShouldContain(e.Peer);
                    joined.Add(e.Peer).ShouldBeTrue();
                    break;
                case PeerLeft e:
                    joined.Remove(e.Peer).ShouldBeTrue();
                    break;
                default:
                    break;
            }
        }
    }
}
