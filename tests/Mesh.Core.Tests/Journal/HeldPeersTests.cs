using EventMesh.Events;
using EventMesh.Identity;
using EventMesh.Journal.Internal;
using EventMesh.Limits.Internal;
using EventMesh.Projections;
using Microsoft.Extensions.Time.Testing;
using Shouldly;
using Xunit;
using Log = EventMesh.Core.Tests.Projections.Log;

namespace EventMesh.Core.Tests.Journal;

/// <summary>New peers beyond the budget, without a journal around them.</summary>
public sealed class HeldPeersTests
{
    private readonly FakeTimeProvider _clock = new();
    private readonly ConnectionCounts _counts = new();
    private readonly HeldPeers _held;

    public HeldPeersTests()
    {
        _held = new HeldPeers(new MinuteBudget(1, _clock), _counts);
        Accept(0, counted: false);
    }

    [Fact]
    public void What_stands_is_owed_as_it_is_by_then_first_who_it_is_and_last_that_it_joined()
    {
        Accept(1);
        Count(EventSamples.Opened(1));
        Count(EventSamples.Joined(1));
        ConnectionOpened second = EventSamples.Opened(2) with { Peer = EventSamples.Peer(1) };
        Count(second);
        Count(new PeerUpdated(EventSamples.Peer(1), PeerKind.Client, []));
        Count(Closed(1));
        IReadOnlyList<IMeshEvent> owed = _held.Release(EventSamples.Peer(1));
        owed.Select(data => data.GetType()).ShouldBe([typeof(CertificateAccepted), typeof(ConnectionOpened), typeof(PeerJoined)]);
        owed[1].ShouldBe(second);
        ((PeerJoined)owed[2]).Kind.ShouldBe(PeerKind.Client);
        _held.Count.ShouldBe(0);
    }

    [Fact]
    public void Nobody_overtakes_those_that_wait()
    {
        Accept(1);
        Accept(2);
        _held.TryReleaseOldest().ShouldBeNull();
        _clock.Advance(TimeSpan.FromMinutes(1));
        Accept(3);
        ((CertificateAccepted)_held.TryReleaseOldest()![0]).Peer.ShouldBe(EventSamples.Peer(1));
        _held.TryReleaseOldest().ShouldBeNull();
        _held.Count.ShouldBe(2);
    }

    [Fact]
    public void A_peer_of_which_nothing_stands_is_forgotten_and_those_who_wait_for_it_are_told()
    {
        Accept(1);
        Count(EventSamples.Opened(1));
        Count(EventSamples.Joined(1));
        Task ended = _held.WhenEnded(EventSamples.Peer(1));
        Count(Closed(1));
        _held.Count.ShouldBe(1);
        ended.IsCompleted.ShouldBeFalse();
        Count(new PeerLeft(EventSamples.Peer(1), CloseReason.Idle));
        _held.Count.ShouldBe(0);
        ended.IsCompleted.ShouldBeTrue();
        ConnectionsSummarised counts = _counts.Take(default)!;
        (counts.NewPeers, counts.Opened, counts.Joined, counts.Closed[0].Count, counts.Left[0].Count).ShouldBe((1, 1, 1, 1, 1));
    }

    [Fact]
    public void A_further_connection_of_a_held_back_peer_is_not_another_peer()
    {
        Accept(1);
        Accept(1);
        _held.Count.ShouldBe(1);
        _counts.Take(default)!.NewPeers.ShouldBe(1);
    }

    [Fact]
    public void What_is_about_the_log_is_recorded()
    {
        Accept(1);
        // Closed twice, and of a connection that nobody opened.
        _held.TryCount(MeshState.Empty, Closed(1), []).ShouldBeFalse();
        _held.TryCount(MeshState.Empty, new PeerLeft(EventSamples.Peer(1), CloseReason.Idle), []).ShouldBeFalse();
        _held.TryCount(MeshState.Empty, EventSamples.Opened(7), []).ShouldBeFalse();
    }

    [Fact]
    public void Beyond_the_capacity_only_peers_that_the_log_knows_have_room()
    {
        _held.Capacity.ShouldBe(16_384);
        for (int i = 1; i <= _held.Capacity; i++) Accept(i);
        Log log = new();
        MeshState state = log.Add(EventSamples.Joined(40_000));
        _held.HasRoomFor(state, EventSamples.Peer(30_000)).ShouldBeFalse();
        _held.HasRoomFor(state, EventSamples.Peer(40_000)).ShouldBeTrue();
        _held.HasRoomFor(state, EventSamples.Peer(1)).ShouldBeTrue("it is one of them");
        _held.Release(EventSamples.Peer(1));
        _held.HasRoomFor(state, EventSamples.Peer(30_000)).ShouldBeTrue();
    }

    private static ConnectionClosed Closed(int number) =>
        new(EventSamples.Opened(number).Connection, EventSamples.Peer(number), CloseReason.Idle, 0, 0, 0, 0, TimeSpan.Zero);

    private void Accept(int number, bool counted = true) => _held
        .TryCount(MeshState.Empty, new CertificateAccepted(EventSamples.Peer(number), "", default, TrustMode.Encrypted), []).ShouldBe(counted);

    private void Count(IMeshEvent data) => _held.TryCount(MeshState.Empty, data, []).ShouldBeTrue(data.ToString());
}
