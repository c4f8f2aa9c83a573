using System.Net;
using System.Text.RegularExpressions;
using EventMesh.Core.Tests.Journal;
using EventMesh.Events;
using EventMesh.Identity;
using EventMesh.Limits.Internal;
using EventMesh.Node;
using EventMesh.Tests.Common;
using EventMesh.Tests.Common.Hosting;
using EventMesh.Transport.InMemory;
using EventMesh.Trust;
using EventMesh.Trust.Internal;
using Shouldly;
using Xunit;

namespace EventMesh.Core.Tests.Limits;

public sealed partial class AbuseGuardTests
{
    private static readonly PeerId Peer = EventSamples.Peer(1);
    private static readonly IPAddress Global = IPAddress.Parse("192.0.2.7");
    private static readonly IPAddress Private = IPAddress.Parse("10.0.0.7");

    private readonly VirtualTimeProvider _clock = new();
    private readonly FakeJournal _journal;
    private readonly LineLog _lines = new();
    private readonly LimitOptions _limits = new();
    private readonly TrustLedger _trust;
    private readonly AbuseGuard _guard;

    public AbuseGuardTests()
    {
        _journal = new FakeJournal(_clock);
        _trust = new TrustLedger(_journal, new FakeDispatcher(), _clock, _lines);
        _guard = new AbuseGuard(_limits, _trust, _clock, _lines);
    }

    [Fact]
    public void Offences_add_up_to_a_timed_block_of_the_peer_and_its_source()
    {
        Report(Peer, Global, Offence.ProtocolViolation, 4);
        _journal.All<PeerBlocked>().ShouldBeEmpty();
        Report(Peer, Global, Offence.ProtocolViolation, 1);

        DateTimeOffset end = _clock.GetUtcNow() + TimeSpan.FromHours(1);
        PeerBlocked peer = _journal.All<PeerBlocked>().ShouldHaveSingleItem();
        (peer.Peer, peer.Until, peer.By).ShouldBe((Peer, end, TrustAuthor.Limits));
        peer.Reason.ShouldContain("ProtocolViolation");
        PrefixBlocked source = _journal.All<PrefixBlocked>().ShouldHaveSingleItem();
        (source.Prefix.ToString(), source.Until).ShouldBe(("192.0.2.7/32", end));
        _trust.Admits(Global).ShouldBeFalse();
        _clock.Advance(TimeSpan.FromHours(1));
        _trust.Admits(Global).ShouldBeTrue();
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void A_block_of_a_source_by_limits_spares_whom_the_operator_trusts_or_has_pinned_there(bool isTrusted)
    {
        PeerId stranger = EventSamples.Peer(9);
        for (int i = 2; i < 7; i++) Report(EventSamples.Peer(i), Global, Offence.ProtocolViolation, 1);
        _trust.Admits(Global).ShouldBeFalse("nobody is spared");
        _trust.Refusal(Peer, default, Global).ShouldNotBeNull();
        _journal.Record(new PeerPinned("first-use.example:4433", stranger, PinOrigin.FirstUse, TrustAuthor.Limits));
        _trust.Admits(Global).ShouldBeFalse("nobody was named by an operator");

        _journal.Record(isTrusted ? new PeerTrusted(Peer, "ours", "root") : new PeerPinned("contact.example:4433", Peer, PinOrigin.ByHand, "root"));

        _trust.Admits(Global).ShouldBeTrue("who comes is known after the handshake");
        _trust.Refusal(Peer, default, Global).ShouldBeNull();
        _trust.Refusal(stranger, default, Global).ShouldNotBeNull().Error.ShouldBe(MeshError.Blocked);
        Should.Throw<MeshException>(() => _trust.ThrowIfBlocked(new IPEndPoint(Global, 4433), expected: null));
        _trust.ThrowIfBlocked(new IPEndPoint(Global, 4433), Peer);
        ((ITrust)_trust).IsBlocked(Global).ShouldBeTrue();

        // What the operator blocks is blocked for everybody, before the handshake, also where limits have blocked a part of it.
        _journal.Record(new PrefixBlocked(IPNetwork.Parse("192.0.2.0/24"), "", null, "root"));
        _trust.Admits(Global).ShouldBeFalse();
        _trust.Refusal(Peer, default, Global).ShouldNotBeNull();
    }

    [Fact]
    public void New_keys_from_one_source_share_the_sources_score()
    {
        for (int i = 0; i < 5; i++) Report(EventSamples.Peer(i), Global, Offence.ProtocolViolation, 1);
        _journal.All<PrefixBlocked>().ShouldHaveSingleItem();
        _journal.All<PeerBlocked>().ShouldHaveSingleItem().Peer.ShouldBe(EventSamples.Peer(4));
    }

    [Fact]
    public void A_private_source_is_not_blocked_for_one_of_its_nodes()
    {
        Report(Peer, Private, Offence.ProtocolViolation, 5);
        _journal.All<PeerBlocked>().ShouldHaveSingleItem();
        _journal.All<PrefixBlocked>().ShouldBeEmpty();
        _trust.Admits(Private).ShouldBeTrue();
    }

    [Fact]
    public void An_ipv6_source_is_its_56_bits()
    {
        for (int i = 0; i < 5; i++) Report(EventSamples.Peer(i), IPAddress.Parse($"2001:db8:0:{i:x}::1"), Offence.ProtocolViolation, 1);
        _journal.All<PrefixBlocked>().ShouldHaveSingleItem().Prefix.ToString().ShouldBe("2001:db8::/56");
    }

    [Fact]
    public void Points_fade()
    {
        for (int i = 0; i < 50; i++)
        {
            Report(Peer, Global, Offence.ProtocolViolation, 1);
            _clock.Advance(TimeSpan.FromMinutes(10));
        }
        _journal.Events.ShouldBeEmpty();
        var score = new ViolationScore(80, _clock.GetUtcNow());
        score.Fade(_clock.GetUtcNow().AddMinutes(20), TimeSpan.FromMinutes(10)).Points.ShouldBe(20, 0.001);
        score.Fade(_clock.GetUtcNow().AddMinutes(-20), TimeSpan.FromMinutes(10)).ShouldBe(score, "a clock set back fades nothing");
    }

    [Fact]
    public void A_trusted_peer_is_told_of_but_never_blocked()
    {
        _journal.Record(new PeerTrusted(Peer, "", "root"));
        Report(Peer, Global, Offence.ProtocolViolation, 100);
        _journal.All<PeerBlocked>().ShouldBeEmpty();
        _journal.All<PrefixBlocked>().ShouldBeEmpty();
        _lines.Of("Offence").ShouldAllBe(line => line.Contains("action=trusted", StringComparison.Ordinal));
    }

    [Fact]
    public void Without_blocks_offences_are_only_counted()
    {
        _limits.AbuseBlock = TimeSpan.Zero;
        Report(Peer, Global, Offence.ProtocolViolation, 100);
        _journal.Events.ShouldBeEmpty();
    }

    [Fact]
    public void A_closed_journal_is_no_failure()
    {
        _journal.Refusal = new MeshException(MeshError.NodeStopped, "stopped");
        Should.NotThrow(() => Report(Peer, Global, Offence.ProtocolViolation, 5));
    }

    [Fact]
    public void Each_offence_is_a_line_of_a_stable_form_and_the_documented_rule_reads_it()
    {
        Report(Peer, Global, Offence.TooLarge, 1);
        Report(Peer, IPAddress.Parse("2001:db8::7"), Offence.ControlFlood, 1);

        _lines.Of("Offence").ShouldBe(
        [
            $"offence kind=TooLarge source=192.0.2.7 peer={Peer} points=10 score=10 action=none suppressed=0",
            $"offence kind=ControlFlood source=2001:db8::7 peer={Peer} points=25 score=35 action=none suppressed=0",
        ]);
        _lines.Of("Offence").ShouldAllBe(line => Rule().IsMatch(line));
    }

    [Fact]
    public void Many_offenders_can_not_fill_the_log_and_a_block_is_always_told()
    {
        for (int i = 0; i < 2000; i++) Report(EventSamples.Peer(i), new IPAddress([198, 51, (byte)(i >> 8), (byte)i]), Offence.TooLarge, 1);
        _lines.Of("Offence").Count.ShouldBe(500);
        Report(Peer, Global, Offence.ProtocolViolation, 5);
        _lines.Of("Offence").Count.ShouldBe(501);
        _lines.Of("Offence")[^1].ShouldEndWith("action=blocked suppressed=1504");
    }

    [Fact]
    public void A_source_that_connects_too_often_is_told_apart_from_others()
    {
        for (int i = 0; i < _limits.ConnectionBurstPerSource; i++) _guard.TryConnect(Global).ShouldBeTrue();
        _guard.TryConnect(Global).ShouldBeFalse();
        _guard.TryConnect(IPAddress.Parse("192.0.2.8")).ShouldBeTrue();
        _guard.Admits(Global).ShouldBeTrue("it is refused after the handshake, at the price of points");
        _clock.Advance(TimeSpan.FromSeconds(1));
        _guard.TryConnect(Global).ShouldBeTrue();
    }

    [Fact]
    public void A_private_source_that_connects_too_often_is_refused_before_the_handshake()
    {
        _limits.ConnectionBurstPerPrivateSource = 3;
        _limits.ConnectionsPerSecondPerPrivateSource = 1;
        for (int i = 0; i < 3; i++) _guard.TryConnect(Private).ShouldBeTrue();
        _guard.Admits(Private).ShouldBeFalse();
        _guard.Admits(IPAddress.Parse("10.0.0.8")).ShouldBeTrue();
        _clock.Advance(TimeSpan.FromSeconds(1));
        _guard.Admits(Private).ShouldBeTrue();
    }

    [Fact]
    public async Task Messages_above_the_rate_wait_and_control_frames_above_it_are_refused()
    {
        var rate = new IntakeRate(new LimitOptions { MessagesPerSecondPerPeer = 10, BytesPerSecondPerPeer = 65_536, ControlFrameBurstPerPeer = 16 }, _clock);
        for (int i = 0; i < 10; i++) rate.TakeMessageAsync(default).AsTask().IsCompletedSuccessfully.ShouldBeTrue();
        Task waiting = rate.TakeMessageAsync(default).AsTask();
        Task behind = rate.TakeMessageAsync(default).AsTask();
        waiting.IsCompleted.ShouldBeFalse();
        _clock.RunUntil(waiting, TimeSpan.FromMilliseconds(150)).ShouldBeTrue();
        behind.IsCompleted.ShouldBeFalse("the debt adds up");
        _clock.RunUntil(behind, TimeSpan.FromMilliseconds(150)).ShouldBeTrue();
        await Task.WhenAll(waiting, behind);

        Task large = rate.TakeBytesAsync(2 * 65_536, default).AsTask();
        _clock.RunUntil(large, TimeSpan.FromMilliseconds(900)).ShouldBeFalse();
        _clock.RunUntil(large, TimeSpan.FromMilliseconds(200)).ShouldBeTrue();

        for (int i = 0; i < 16; i++) rate.TryTakeControl().ShouldBeTrue();
        rate.TryTakeControl().ShouldBeFalse();
    }

    [Fact]
    public void What_is_keyed_by_remote_input_is_bounded_and_forgets_who_came_longest_ago()
    {
        var table = new BoundedTable<int, string>(3);
        for (int i = 0; i < 3; i++) table.Set(i, $"{i}");
        table.TryGet(0, out _).ShouldBeTrue();
        table.Set(3, "3");
        table.Count.ShouldBe(3);
        table.TryGet(1, out _).ShouldBeFalse();
        table.TryGet(0, out string? zero).ShouldBeTrue();
        zero.ShouldBe("0");
        table.Set(0, "again");
        table.Count.ShouldBe(3);
        table.Remove(0);
        table.Count.ShouldBe(2);
    }

    private void Report(PeerId peer, IPAddress address, Offence offence, int times)
    {
        for (int i = 0; i < times; i++) _guard.Report(peer, address, offence);
    }

    // The rule of docs/operations.md, with fail2ban's <HOST> as it expands it, roughly.
    [GeneratedRegex(@"offence kind=(?!HandlerFailure)\S+ source=(?<host>[0-9a-fA-F:.]+) peer=")]
    private static partial Regex Rule();
}
