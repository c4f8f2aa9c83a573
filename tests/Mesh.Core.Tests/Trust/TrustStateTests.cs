using System.Net;
using CsCheck;
using EventMesh.Core.Tests.Journal;
using EventMesh.Core.Tests.Projections;
using EventMesh.Events;
using EventMesh.Identity;
using EventMesh.Journal;
using EventMesh.Projections;
using EventMesh.Trust;
using Shouldly;
using Xunit;

namespace EventMesh.Core.Tests.Trust;

public sealed class TrustStateTests
{
    private static readonly PeerId Peer = EventSamples.Peer(1);
    private static readonly IPNetwork Prefix = IPNetwork.Parse("192.0.2.0/24");

    private readonly Log _log = new();

    [Fact]
    public void A_block_holds_until_its_end_and_the_next_decision_forgets_it()
    {
        _log.Add(new PeerBlocked(Peer, "why", Log.Start.AddSeconds(10), "root"));

        _log.State.BlockOf(Peer, Log.Start.AddSeconds(9)).ShouldBe(new TrustBlock("why", _log.Time, Log.Start.AddSeconds(10), "root"));
        _log.State.BlockOf(Peer, Log.Start.AddSeconds(10)).ShouldBeNull();
        for (int i = 0; i < 10; i++) _log.Add(new NodeStopped(""));
        _log.State.Trust.BlockedPeers.ShouldNotBeEmpty();
        _log.Add(new PrefixBlocked(Prefix, "", null, "root"));
        _log.State.Trust.BlockedPeers.ShouldBeEmpty();
    }

    [Fact]
    public void A_block_takes_trust_away_and_does_not_give_it_back()
    {
        _log.Add(new PeerTrusted(Peer, "", "root"));
        _log.State.IsTrusted(Peer).ShouldBeTrue();
        _log.Add(new PeerBlocked(Peer, "", null, "root"), new Unblocked(Peer, null, "", "root"));
        _log.State.IsTrusted(Peer).ShouldBeFalse();
        _log.State.BlockOf(Peer, _log.Time).ShouldBeNull();
    }

    [Theory]
    [InlineData("192.0.2.255", true)]
    [InlineData("192.0.3.0", false)]
    [InlineData("2001:db8::1", false)]
    public void A_prefix_holds_its_addresses(string address, bool isBlocked)
    {
        _log.Add(new PrefixBlocked(Prefix, "", null, "root"));
        (_log.State.BlockOf(IPAddress.Parse(address), _log.Time) is not null).ShouldBe(isBlocked);
    }

    [Fact]
    public void A_lifted_prefix_leaves_the_wider_and_the_narrower_ones()
    {
        IPAddress inside = IPAddress.Parse("192.0.2.7");
        _log.Add(new PrefixBlocked(Prefix, "", null, "root"), new PrefixBlocked(IPNetwork.Parse("192.0.2.7/32"), "", null, "root"));
        _log.Add(new Unblocked(null, Prefix, "", "root"));
        _log.State.BlockOf(inside, _log.Time).ShouldNotBeNull();
        _log.State.BlockOf(IPAddress.Parse("192.0.2.8"), _log.Time).ShouldBeNull();
    }

    [Fact]
    public void A_mismatch_is_kept_beside_the_pin_until_it_is_pinned_again()
    {
        _log.Add(new PeerPinned("a:1", Peer, PinOrigin.FirstUse, "first-use"), new PinMismatch("a:1", Peer, EventSamples.Peer(2), EventSamples.EndPoint4));
        TrustPin pin = _log.State.Trust.Pins["a:1"];
        (pin.Peer, pin.Mismatch, pin.MismatchAt).ShouldBe((Peer, EventSamples.Peer(2), _log.Time));
        _log.State.MayAnswer("a:1", Peer).ShouldBeTrue();
        _log.State.MayAnswer("a:1", EventSamples.Peer(2)).ShouldBeFalse();
        _log.State.MayAnswer("b:1", EventSamples.Peer(2)).ShouldBeTrue();
        _log.Add(new PeerPinned("a:1", EventSamples.Peer(2), PinOrigin.ByHand, "root"));
        _log.State.Trust.Pins["a:1"].Mismatch.ShouldBeNull();
        _log.State.IsPinned(EventSamples.Peer(2)).ShouldBeTrue();
        _log.State.IsPinned(Peer).ShouldBeFalse();
    }

    [Fact]
    public void A_pin_that_is_taken_back_is_gone_with_its_mismatch_and_the_others_stay()
    {
        _log.Add(
            new PeerPinned("a:1", Peer, PinOrigin.FirstUse, "first-use"), new PeerPinned("b:1", Peer, PinOrigin.ByHand, "root"),
            new PinMismatch("a:1", Peer, EventSamples.Peer(2), EventSamples.EndPoint4));
        _log.Add(new PeerUnpinned("a:1", Peer, "why", "root"));
        _log.State.Trust.Pins.Keys.ShouldBe(["b:1"]);
        _log.State.MayAnswer("a:1", EventSamples.Peer(2)).ShouldBeTrue();
        _log.Add(new PeerUnpinned("b:1", Peer, "", "root"), new PinMismatch("b:1", Peer, EventSamples.Peer(2), EventSamples.EndPoint4));
        _log.State.IsPinned(Peer).ShouldBeFalse();
    }

    [Fact]
    public void A_revoked_key_is_not_trusted_and_stays_revoked()
    {
        _log.Add(new PeerTrusted(Peer, "", "root"), new CertificateRevoked(Peer, null, "lost", "root"), new CertificateRevoked(null, "ab", "", "root"));
        _log.State.IsRevoked(Peer).ShouldBeTrue();
        _log.State.IsRevoked("ab").ShouldBeTrue();
        _log.State.IsTrusted(Peer).ShouldBeFalse();
        _log.Add(new Unblocked(Peer, null, "", "root"));
        _log.State.IsRevoked(Peer).ShouldBeTrue();
    }

    [Fact]
    public void The_ledger_survives_a_snapshot()
    {
        _log.Add(
            new PeerPinned("a:1", Peer, PinOrigin.FirstUse, "first-use"), new PinMismatch("a:1", Peer, EventSamples.Peer(2), EventSamples.EndPoint4),
            new PeerTrusted(Peer, "t", "root"), new PeerBlocked(EventSamples.Peer(2), "b", Log.Start.AddDays(1), "limits"),
            new PrefixBlocked(Prefix, "b", null, "root"), new CertificateRevoked(EventSamples.Peer(3), null, "r", "root"),
            new CertificateRevoked(null, "ab", "r", "root"));

        byte[] json = System.Text.Json.JsonSerializer.SerializeToUtf8Bytes(_log.State.Trust, MeshJson.Options);
        TrustState? read = System.Text.Json.JsonSerializer.Deserialize<TrustState>(json, MeshJson.Options);

        Describe(read.ShouldNotBeNull()).ShouldBe(Describe(_log.State.Trust));
        read.BlockedPrefixes[Prefix].ShouldBe(_log.State.Trust.BlockedPrefixes[Prefix]);
    }

    [Fact]
    public void Any_log_folded_as_it_grows_is_the_log_replayed_from_its_form_on_disk() => Events.Array[0, 60].Sample(events =>
    {
        var live = new Log();
        live.Add(events);
        var replayed = new Log();
        foreach (IMeshEvent data in events)
            replayed.Add(MeshJson.Deserialize(EventRegistry.Default.Get(data.GetType()), MeshJson.Serialize(data)));
        Describe(replayed.State.Trust).ShouldBe(Describe(live.State.Trust));
        live.State.Trust.RevokedKeys.Keys.ShouldAllBe(key => live.State.IsRevoked(key));
    });

    private static readonly Gen<PeerId> Peers = Gen.Int[1, 4].Select(EventSamples.Peer);

    private static readonly Gen<DateTimeOffset?> Ends =
        Gen.Int[0, 80].Select(second => second < 20 ? (DateTimeOffset?)null : Log.Start.AddSeconds(second));

    private static readonly Gen<IPNetwork> Prefixes = Gen.Select(Gen.Int[0, 3], Gen.Int[24, 32], (host, length) =>
        AddressPrefix.Normalize(new IPNetwork(IPAddress.Parse("192.0.2.0"), length)) is { } prefix && host > 0 ? prefix : IPNetwork.Parse("2001:db8::/56"));

    private static readonly Gen<IMeshEvent> Events = Gen.OneOf<IMeshEvent>(
        Gen.Select(Gen.Int[0, 2], Peers, (contact, peer) => (IMeshEvent)new PeerPinned($"c{contact}:1", peer, PinOrigin.ByHand, "root")),
        Gen.Select(Gen.Int[0, 2], Peers, (contact, peer) => (IMeshEvent)new PeerUnpinned($"c{contact}:1", peer, "", "root")),
        Gen.Select(Gen.Int[0, 2], Peers, (contact, peer) => (IMeshEvent)new PinMismatch($"c{contact}:1", peer, peer, EventSamples.EndPoint4)),
        Peers.Select(peer => (IMeshEvent)new PeerTrusted(peer, "t", "root")),
        Gen.Select(Peers, Ends, (peer, end) => (IMeshEvent)new PeerBlocked(peer, "b", end, "root")),
        Gen.Select(Prefixes, Ends, (prefix, end) => (IMeshEvent)new PrefixBlocked(prefix, "b", end, "limits")),
        Peers.Select(peer => (IMeshEvent)new Unblocked(peer, null, "", "root")),
        Prefixes.Select(prefix => (IMeshEvent)new Unblocked(null, prefix, "", "root")),
        Peers.Select(peer => (IMeshEvent)new CertificateRevoked(peer, null, "", "root")));

    private static string Describe(TrustState state) => string.Join('\n',
        state.Pins.Select(e => $"{e}").Concat(state.Trusted.Select(e => $"{e}")).Concat(state.BlockedPeers.Select(e => $"{e}"))
            .Concat(state.BlockedPrefixes.Select(e => $"{e}")).Concat(state.RevokedKeys.Select(e => $"{e}"))
            .Concat(state.RevokedCertificates.Select(e => $"{e}")).Order(StringComparer.Ordinal));
}
