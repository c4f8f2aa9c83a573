using EventMesh.Events;
using EventMesh.Identity;
using EventMesh.Journal.Internal;
using EventMesh.Projections;
using Shouldly;
using Xunit;
using Log = EventMesh.Core.Tests.Projections.Log;

namespace EventMesh.Core.Tests.Journal;

/// <summary>Which peers are new, and what makes the log know one.</summary>
public sealed class NewPeersTests
{
    private static readonly PeerId Peer = EventSamples.Peer(1);

    [Fact]
    public void A_peer_is_known_by_its_key_its_join_the_cache_and_what_an_operator_decided_and_not_by_a_block_of_our_limits()
    {
        Knows().ShouldBeFalse();
        Knows(new CertificateAccepted(Peer, "", default, TrustMode.Encrypted)).ShouldBeTrue();
        Knows(EventSamples.Joined(1)).ShouldBeTrue();
        Knows(new CacheEntryAdded(Peer, [EventSamples.EndPoint4], [], ConnectionDirection.Inbound)).ShouldBeTrue();
        Knows(new PeerPinned("host:1", Peer, PinOrigin.FirstUse, "first-use")).ShouldBeTrue();
        Knows(new PeerTrusted(Peer, "", "root")).ShouldBeTrue();
        Knows(new CertificateRevoked(Peer, null, "", "root")).ShouldBeTrue();
        Knows(new KeySucceeded(EventSamples.Peer(2), Peer, 1, default)).ShouldBeTrue();
        Knows(new PeerBlocked(Peer, "", null, "root")).ShouldBeTrue();
        Knows(new PeerBlocked(Peer, "", null, TrustAuthor.Limits)).ShouldBeFalse();
        Knows(EventSamples.Joined(2)).ShouldBeFalse();
    }

    [Fact]
    public void A_connected_peer_is_known_when_there_are_more_keys_than_are_remembered()
    {
        Log log = new();
        for (int i = 0; i < NodeState.MaxKnownKeys; i++) log.Add(new CertificateAccepted(EventSamples.Peer(1000 + i), "", default, TrustMode.Encrypted));
        log.Add(new CertificateAccepted(Peer, "", default, TrustMode.Encrypted));
        NewPeers.IsKnown(log.State, Peer).ShouldBeFalse();
        NewPeers.IsKnown(log.Add(EventSamples.Opened(1)), Peer).ShouldBeTrue();
    }

    /// <summary>What is not listed here makes every peer known that it names: a new event can't be recorded of one that the log has never heard of.</summary>
    [Fact]
    public void Only_what_strangers_bring_about_leaves_a_peer_unknown()
    {
        foreach (IMeshEvent data in EventSamples.All.Where(data => EventSubjects.Of(data).Count > 0))
        {
            bool isStrangers = data is DialFailed or PinMismatch or SuccessionDisputed or PeerErased or KeySucceeded or PeerBlocked { By: TrustAuthor.Limits }
                or Unblocked { By: TrustAuthor.Limits };
            NewPeers.MadeKnownBy(data).Count.ShouldBe(isStrangers ? 0 : EventSubjects.Of(data).Count, data.ToString());
        }
    }

    [Fact]
    public void What_a_peer_tells_of_several_changes_of_its_key_is_of_its_last_key()
    {
        IMeshEvent[] unit = [Change(1, 2), Change(2, 3), Change(3, 4)];
        foreach (IMeshEvent change in unit) NewPeers.BearerOf((KeySucceeded)change, unit).ShouldBe(EventSamples.Peer(4));
    }

    private static KeySucceeded Change(int from, int to) => new(EventSamples.Peer(from), EventSamples.Peer(to), to, default);

    private static bool Knows(params IReadOnlyList<IMeshEvent> events) => NewPeers.IsKnown(new Log().Add(events), Peer);
}
