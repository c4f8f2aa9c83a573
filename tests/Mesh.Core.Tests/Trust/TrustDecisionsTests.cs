using System.Net;
using EventMesh.Core.Tests.Journal;
using EventMesh.Core.Tests.Projections;
using EventMesh.Events;
using EventMesh.Identity;
using EventMesh.Trust;
using Shouldly;
using Xunit;

namespace EventMesh.Core.Tests.Trust;

public sealed class TrustDecisionsTests
{
    private static readonly PeerId Peer = EventSamples.Peer(1);
    private static readonly PeerId Other = EventSamples.Peer(2);
    private static readonly IPNetwork Prefix = IPNetwork.Parse("192.0.2.0/24");

    private readonly Log _log = new();

    [Fact]
    public void A_blocked_peer_leaves_the_cache()
    {
        Cache(Peer, "192.0.2.7:1");
        Cache(Other, "198.51.100.7:1");

        TrustDecisions.Block(_log.State, Peer, "why", null, "root")
            .ShouldBe([new PeerBlocked(Peer, "why", null, "root"), new CacheEntryEvicted(Peer, EvictionReason.Blocked)]);
        TrustDecisions.Revoke(_log.State, Other, "lost", "root")
            .ShouldBe([new CertificateRevoked(Other, null, "lost", "root"), new CacheEntryEvicted(Other, EvictionReason.Blocked)]);
    }

    [Fact]
    public void A_blocked_prefix_takes_the_nodes_out_of_the_cache_that_can_be_dialled_only_there()
    {
        Cache(Peer, "192.0.2.7:1");
        Cache(Other, "192.0.2.8:1", "198.51.100.7:1");

        TrustDecisions.Block(_log.State, Prefix, "why", null, "root")
            .ShouldBe([new PrefixBlocked(Prefix, "why", null, "root"), new CacheEntryEvicted(Peer, EvictionReason.Blocked)]);
    }

    [Fact]
    public void A_revoked_certificate_takes_its_node_out_of_the_cache()
    {
        Cache(Peer, "192.0.2.7:1");
        string fingerprint = CertificateFingerprint.Of([1]);

        TrustDecisions.Revoke(_log.State, fingerprint, "", "root").OfType<CacheEntryEvicted>().ShouldHaveSingleItem().Peer.ShouldBe(Peer);
        _log.Add(TrustDecisions.Revoke(_log.State, fingerprint, "", "root"));
        TrustDecisions.Revoke(_log.State, fingerprint, "", "root").ShouldBeEmpty();
    }

    [Fact]
    public void A_blocked_or_revoked_peer_cannot_be_trusted()
    {
        _log.Add(new PeerBlocked(Peer, "it floods", null, "root"), new CertificateRevoked(Other, null, "lost", "root"));

        Should.Throw<MeshException>(() => TrustDecisions.Trust(_log.State, Peer, "", "root", _log.Time)).Message.ShouldContain("it floods");
        Should.Throw<MeshException>(() => TrustDecisions.Trust(_log.State, Other, "", "root", _log.Time)).Error.ShouldBe(MeshError.Blocked);
    }

    [Fact]
    public void What_is_so_already_is_not_decided_again()
    {
        _log.Add(TrustDecisions.Trust(_log.State, Peer, "", "root", _log.Time));
        TrustDecisions.Trust(_log.State, Peer, "", "root", _log.Time).ShouldBeEmpty();
        TrustDecisions.Unblock(_log.State, Peer, "", "root", _log.Time).ShouldBeEmpty();
        TrustDecisions.Unblock(_log.State, Prefix, "", "root", _log.Time).ShouldBeEmpty();
        _log.Add(TrustDecisions.Pin(_log.State, "a:1", Peer, "root"));
        TrustDecisions.Pin(_log.State, "a:1", Peer, "root").ShouldBeEmpty();
        TrustDecisions.PinFirstUse(_log.State, "a:1", Other).ShouldBeEmpty();
    }

    [Fact]
    public void A_first_use_can_be_confirmed_by_hand()
    {
        _log.Add(TrustDecisions.PinFirstUse(_log.State, "a:1", Peer));
        TrustDecisions.Pin(_log.State, "a:1", Peer, "root").ShouldBe([new PeerPinned("a:1", Peer, PinOrigin.ByHand, "root")]);
    }

    [Fact]
    public void A_pin_is_taken_back_once_and_the_next_peer_there_is_the_first_again()
    {
        TrustDecisions.Unpin(_log.State, "a:1", "why", "root").ShouldBeEmpty();
        _log.Add(TrustDecisions.Pin(_log.State, "a:1", Peer, "root"));
        TrustDecisions.Unpin(_log.State, "b:1", "why", "root").ShouldBeEmpty();
        IReadOnlyList<IMeshEvent> events = TrustDecisions.Unpin(_log.State, "a:1", "why", "root");
        events.ShouldBe([new PeerUnpinned("a:1", Peer, "why", "root")]);
        _log.Add(events);
        TrustDecisions.Unpin(_log.State, "a:1", "why", "root").ShouldBeEmpty();
        TrustDecisions.PinFirstUse(_log.State, "a:1", Other).ShouldBe([new PeerPinned("a:1", Other, PinOrigin.FirstUse, TrustAuthor.FirstUse)]);
    }

    [Fact]
    public void The_same_mismatch_is_recorded_once_in_a_row()
    {
        _log.Add(TrustDecisions.PinFirstUse(_log.State, "a:1", Peer));
        _log.Add(TrustDecisions.Mismatch(_log.State, "a:1", Other, EventSamples.EndPoint4));
        _log.State.Trust.Pins["a:1"].Mismatch.ShouldBe(Other);
        TrustDecisions.Mismatch(_log.State, "a:1", Other, EventSamples.EndPoint4).ShouldBeEmpty();
        TrustDecisions.Mismatch(_log.State, "a:1", EventSamples.Peer(3), EventSamples.EndPoint4).ShouldHaveSingleItem();
    }

    [Fact]
    public void Limits_never_block_a_trusted_peer_nor_shorten_a_block()
    {
        _log.Add(new PeerTrusted(Peer, "", "root"), new PeerBlocked(Other, "", null, "root"), new PrefixBlocked(Prefix, "", null, "root"));
        TrustDecisions.BlockForAbuse(_log.State, Peer, "", _log.Time.AddHours(1), _log.Time).ShouldBeEmpty();
        TrustDecisions.BlockForAbuse(_log.State, Other, "", _log.Time.AddHours(1), _log.Time).ShouldBeEmpty();
        TrustDecisions.BlockForAbuse(_log.State, IPNetwork.Parse("192.0.2.7/32"), "", _log.Time.AddHours(1), _log.Time).ShouldBeEmpty();
    }

    [Fact]
    public void An_automatic_block_of_an_address_leaves_a_trusted_node_in_the_cache_and_an_operators_does_not()
    {
        var there = new IPEndPoint(IPAddress.Parse("192.0.2.7"), 4433);
        _log.Add(
            new CacheEntryAdded(Peer, [there], [1], ConnectionDirection.Outbound), new CacheEntryAdded(Other, [there], [1], ConnectionDirection.Outbound),
            new PeerTrusted(Peer, "", "root"));
        IPNetwork source = IPNetwork.Parse("192.0.2.7/32");

        TrustDecisions.BlockForAbuse(_log.State, source, "", _log.Time.AddHours(1), _log.Time).OfType<CacheEntryEvicted>().Select(e => e.Peer).ShouldBe([Other]);
        TrustDecisions.Block(_log.State, source, "", null, "root").OfType<CacheEntryEvicted>().Select(e => e.Peer).ShouldBe([Peer, Other], ignoreOrder: true);
    }

    [Fact]
    public void Automatic_blocks_are_bounded_and_never_push_out_those_of_an_operator()
    {
        _log.Add(new PeerBlocked(EventSamples.Peer(0), "", null, "root"), new PrefixBlocked(IPNetwork.Parse("203.0.113.0/24"), "", null, "root"));
        for (int i = 1; i <= TrustDecisions.MaxAutomaticBlocks + 10; i++)
        {
            _log.Add(TrustDecisions.BlockForAbuse(_log.State, EventSamples.Peer(i), "", _log.Time.AddHours(5), _log.Time));
            var source = new IPNetwork(new IPAddress([10, 0, (byte)(i >> 8), (byte)i]), 32);
            _log.Add(TrustDecisions.BlockForAbuse(_log.State, source, "", _log.Time.AddHours(5), _log.Time));
        }
        _log.State.Trust.BlockedPeers.Count.ShouldBe(TrustDecisions.MaxAutomaticBlocks + 1);
        _log.State.Trust.BlockedPrefixes.Count.ShouldBe(TrustDecisions.MaxAutomaticBlocks + 1);
        _log.State.BlockOf(EventSamples.Peer(0), _log.Time).ShouldNotBeNull();
        _log.State.BlockOf(EventSamples.Peer(1), _log.Time).ShouldBeNull();
        _log.State.BlockOf(EventSamples.Peer(TrustDecisions.MaxAutomaticBlocks + 10), _log.Time).ShouldNotBeNull();
    }

    [Theory]
    [InlineData("192.0.2.7", "192.0.2.7/32")]
    [InlineData("192.0.2.7/24", "192.0.2.0/24")]
    [InlineData("2001:db8::7", "2001:db8::7/128")]
    [InlineData("2001:db8::7/56", "2001:db8::/56")]
    [InlineData("::ffff:192.0.2.7/120", "192.0.2.0/24")]
    [InlineData("0.0.0.0/0", "0.0.0.0/0")]
    public void A_prefix_has_one_form(string text, string expected)
    {
        AddressPrefix.TryParse(text, out IPNetwork prefix).ShouldBeTrue();
        prefix.ToString().ShouldBe(expected);
        AddressPrefix.Normalize(prefix).ShouldBe(prefix);
    }

    [Theory]
    [InlineData("")]
    [InlineData("7")]
    [InlineData("192.0.2.7/33")]
    [InlineData("192.0.2.7/-1")]
    [InlineData("2001:db8::/129")]
    [InlineData("fe80::1%2")]
    [InlineData("node.example")]
    public void What_is_no_prefix_is_refused(string text) => AddressPrefix.TryParse(text, out _).ShouldBeFalse();

    private void Cache(PeerId peer, params string[] endpoints) =>
        _log.Add(new CacheEntryAdded(peer, [.. endpoints.Select(IPEndPoint.Parse)], [1], ConnectionDirection.Outbound));
}
