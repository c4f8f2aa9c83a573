using CsCheck;
using EventMesh.Bootstrap.Internal;
using EventMesh.Core.Tests.Journal;
using EventMesh.Identity;
using Shouldly;
using Xunit;

namespace EventMesh.Core.Tests.Bootstrap;

public sealed class TrimDecisionsTests
{
    private static readonly DateTimeOffset Now = new(2026, 11, 22, 12, 0, 0, TimeSpan.Zero);
    private static readonly TimeSpan Grace = TimeSpan.FromSeconds(30);

    [Fact]
    public void Up_to_the_high_watermark_nobody_goes() => Choose(Peers(20), high: 20, low: 10).ShouldBeEmpty();

    [Fact]
    public void Above_it_as_many_go_as_bring_the_node_down_to_the_low_one() => Choose(Peers(21), high: 20, low: 12).Count.ShouldBe(9);

    [Fact]
    public void Peers_that_dialled_us_go_first_then_those_with_the_fewest_messages()
    {
        // The 8 longest-lived are 0 to 7.
        TrimCandidate[] peers = [.. Peers(16).Select((peer, i) => peer with { IsInbound = i is 10 or 12, RecentMessages = i == 14 ? 1 : 50 + i })];
        Choose(peers, high: 10, low: 12).ShouldBe([EventSamples.Peer(10), EventSamples.Peer(12), EventSamples.Peer(14), EventSamples.Peer(8)]);
    }

    [Fact]
    public void Trusted_and_new_peers_and_the_8_longest_lived_stay()
    {
        TrimCandidate[] peers =
        [
            .. Peers(12).Select((peer, i) => i switch
            {
                8 => peer with { IsProtected = true },
                9 => peer with { JoinedAt = Now - TimeSpan.FromSeconds(29) },
                _ => peer,
            }),
        ];
        Choose(peers, high: 1, low: 1).Order().ShouldBe([EventSamples.Peer(10), EventSamples.Peer(11)]);
    }

    [Fact]
    public void Whatever_the_peers_are_the_rules_hold() =>
        Gen.Select(Gen.Bool, Gen.Int[0, 3600], Gen.Long[0, 5], Gen.Bool).Array[0, 60].Sample(
            drawn =>
            {
                TrimCandidate[] peers =
                    [.. drawn.Select((d, i) => new TrimCandidate(EventSamples.Peer(i), d.Item1, Now.AddSeconds(-d.Item2), d.Item3, d.Item4))];
                IReadOnlyList<PeerId> chosen = Choose(peers, high: 24, low: 16);
                chosen.ShouldBeUnique();
                if (peers.Length <= 24) chosen.ShouldBeEmpty();
                (peers.Length - chosen.Count).ShouldBeGreaterThanOrEqualTo(Math.Min(peers.Length, 16));
                foreach (TrimCandidate gone in peers.Where(peer => chosen.Contains(peer.Peer)))
                {
                    gone.IsProtected.ShouldBeFalse();
                    (Now - gone.JoinedAt).ShouldBeGreaterThanOrEqualTo(Grace);
                    peers.Count(peer => peer.JoinedAt <= gone.JoinedAt && peer.Peer != gone.Peer).ShouldBeGreaterThanOrEqualTo(TrimDecisions.LongestLived);
                    // Whoever dialled us and might go has gone before one that we dialled.
                    if (!gone.IsInbound) peers.Where(IsFree).Where(peer => peer.IsInbound).ShouldAllBe(peer => chosen.Contains(peer.Peer));
                }

                bool IsFree(TrimCandidate peer) => !peer.IsProtected && Now - peer.JoinedAt >= Grace
                    && !peers.OrderBy(p => p.JoinedAt).ThenBy(p => p.Peer).Take(8).Contains(peer);
            });

    private static IReadOnlyList<PeerId> Choose(IReadOnlyCollection<TrimCandidate> peers, int high, int low) =>
        TrimDecisions.Choose(peers, high, low, Grace, Now);

    private static TrimCandidate[] Peers(int count) =>
        [.. Enumerable.Range(0, count).Select(i => new TrimCandidate(EventSamples.Peer(i), IsInbound: false, Now.AddHours(-1).AddSeconds(i), 10, IsProtected: false))];
}
