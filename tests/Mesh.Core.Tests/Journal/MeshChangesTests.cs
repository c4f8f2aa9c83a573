using System.Net;
using EventMesh.Events;
using EventMesh.Identity;
using EventMesh.Projections;
using Shouldly;
using Xunit;

namespace EventMesh.Core.Tests.Journal;

public sealed class MeshChangesTests
{
    private static readonly DateTimeOffset Start = new(2026, 11, 22, 0, 0, 0, TimeSpan.Zero);
    private static readonly PeerId One = EventSamples.Peer(1), Two = EventSamples.Peer(2), Three = EventSamples.Peer(3);
    private static readonly IPNetwork Prefix = IPNetwork.Parse("192.0.2.0/24");
    private static readonly string Fingerprint = new('a', 64);

    [Fact]
    public void Nothing_differs_from_itself()
    {
        MeshState state = Fold(MeshState.Empty, 0, Joined(One), new PeerTrusted(Two, "", "me"), new PeerPinned("a:1", Three, PinOrigin.ByHand, "me"));
        MeshChanges.Between(state, Start, state, Start.AddDays(1)).ShouldBeEmpty();
        MeshChanges.Between(MeshState.Empty, Start, MeshState.Empty, Start).ShouldBeEmpty();
    }

    [Fact]
    public void What_came_and_went_shows_by_kind()
    {
        MeshState before = Fold(
            MeshState.Empty, 0, Joined(One), Cached(One), new PeerTrusted(One, "", "me"), new PeerBlocked(Two, "", null, "me"), new PrefixBlocked(Prefix, "", null, "me"),
            new PeerPinned("a:1", One, PinOrigin.ByHand, "me"));
        MeshState after = Fold(
            before, 100, new PeerLeft(One, CloseReason.Idle), new CacheEntryEvicted(One, EvictionReason.Blocked), new PeerBlocked(One, "rude", null, "you"),
            new Unblocked(Two, null, "", "you"), new Unblocked(null, Prefix, "", "you"), new PeerUnpinned("a:1", One, "", "you"), Joined(Three), Cached(Three),
            new PeerTrusted(Three, "good", "you"), new PeerPinned("a:1", Three, PinOrigin.FirstUse, "first-use"), new CertificateRevoked(Two, null, "stolen", "you"),
            new CertificateRevoked(null, Fingerprint, "lost", "you"));

        IReadOnlyList<MeshChange> changes = MeshChanges.Between(before, Start, after, Start.AddDays(1));

        changes.ShouldBe(
        [
            new(MeshChangeKind.Joined, Three.ToString(), Three, At(106), null, "agent"),
            new(MeshChangeKind.Left, One.ToString(), One, null, null, "agent"),
            new(MeshChangeKind.EnteredCache, Three.ToString(), Three, At(107), null, null),
            new(MeshChangeKind.LeftCache, One.ToString(), One, null, null, null),
            new(MeshChangeKind.Trusted, Three.ToString(), Three, At(108), "you", "good"),
            new(MeshChangeKind.NotTrusted, One.ToString(), One, null, null, null),
            new(MeshChangeKind.Blocked, One.ToString(), One, At(102), "you", "rude"),
            .. new MeshChange[]
            {
                new(MeshChangeKind.Unblocked, Prefix.ToString(), null, null, null, null), new(MeshChangeKind.Unblocked, Two.ToString(), Two, null, null, null),
            }.OrderBy(change => change.Subject, StringComparer.Ordinal),
            new(MeshChangeKind.Pinned, "a:1", Three, At(109), "first-use", null),
            new(MeshChangeKind.Unpinned, "a:1", One, null, null, null),
            .. new MeshChange[]
            {
                new(MeshChangeKind.Revoked, Two.ToString(), Two, At(110), "you", "stolen"), new(MeshChangeKind.Revoked, Fingerprint, null, At(111), "you", "lost"),
            }.OrderBy(change => change.Subject, StringComparer.Ordinal),
        ]);
    }

    [Fact]
    public void What_came_and_went_in_between_does_not_show()
    {
        MeshState before = Fold(MeshState.Empty, 0, Joined(One));
        MeshState after = Fold(before, 100, new PeerLeft(One, CloseReason.Idle), Joined(Two), new PeerLeft(Two, CloseReason.Idle), Joined(One));
        MeshChanges.Between(before, Start, after, Start.AddDays(1)).ShouldBeEmpty();
    }

    [Fact]
    public void A_block_that_came_to_its_end_is_lifted_without_an_event()
    {
        DateTimeOffset until = At(60);
        MeshState state = Fold(MeshState.Empty, 0, new PeerBlocked(One, "", until, "limits"), new PrefixBlocked(Prefix, "", until, "limits"));
        MeshChanges.Between(state, At(59), state, At(61)).ShouldBe(
        [
            new(MeshChangeKind.Unblocked, Prefix.ToString(), null, until, null, null), new(MeshChangeKind.Unblocked, One.ToString(), One, until, null, null),
        ], ignoreOrder: true);
        MeshChanges.Between(state, At(58), state, At(59)).ShouldBeEmpty();
        MeshChanges.Between(state, At(61), state, At(62)).ShouldBeEmpty();
    }

    [Fact]
    public void Each_event_that_changes_what_is_compared_is_a_change()
    {
        foreach (IMeshEvent data in EventSamples.All)
        {
            RecordedEvent recorded = new(Guid.Empty, 1, 7, Start, data, null);
            MeshChange? change = MeshChanges.Of(recorded);
            (change is not null).ShouldBe(MeshChanges.EventTypes.Contains(data.GetType()), data.ToString());
            if (change is null) continue;
            (change.Seq, change.At).ShouldBe((7, Start));
            EventSubjects.Of(data).ShouldBe(change.Peer is { } peer ? [peer] : []);
        }
    }

    private static DateTimeOffset At(int seconds) => Start.AddSeconds(seconds);

    private static PeerJoined Joined(PeerId peer) => new(peer, Guid.Empty, PeerKind.Node, [], "agent");

    private static CacheEntryAdded Cached(PeerId peer) => new(peer, [], [], ConnectionDirection.Inbound);

    private static MeshState Fold(MeshState state, int from, params IMeshEvent[] events) =>
        events.Select((data, i) => new RecordedEvent(Guid.Empty, 1, from + i + 1, At(from + i), data, null)).Aggregate(state, MeshState.Apply);
}
