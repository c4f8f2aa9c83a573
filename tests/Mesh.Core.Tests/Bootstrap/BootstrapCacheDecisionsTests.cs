using System.Net;
using CsCheck;
using EventMesh.Bootstrap;
using EventMesh.Core.Tests.Journal;
using EventMesh.Core.Tests.Projections;
using EventMesh.Events;
using EventMesh.Identity;
using EventMesh.Journal;
using EventMesh.Projections;
using EventMesh.Trust;
using Shouldly;
using Xunit;

namespace EventMesh.Core.Tests.Bootstrap;

public sealed class BootstrapCacheDecisionsTests
{
    private static readonly byte[] Certificate = [1, 2, 3];

    [Fact]
    public void A_new_node_is_added()
    {
        IReadOnlyList<IMeshEvent> events = Connected(MeshState.Empty, 1);
        var added = events.ShouldHaveSingleItem().ShouldBeOfType<CacheEntryAdded>();
        added.ShouldBe(new CacheEntryAdded(EventSamples.Peer(1), added.Endpoints, Certificate, ConnectionDirection.Outbound));
    }

    [Fact]
    public void A_cached_node_is_refreshed() =>
        Connected(Filled(200), 7).ShouldHaveSingleItem().ShouldBeOfType<CacheEntryRefreshed>().Peer.ShouldBe(EventSamples.Peer(7));

    [Fact]
    public void The_200th_node_takes_nobodys_place()
    {
        MeshState state = Filled(199);
        Connected(state, 1000).ShouldHaveSingleItem().ShouldBeOfType<CacheEntryAdded>();
    }

    [Fact]
    public void The_201st_node_takes_the_place_of_the_least_recently_connected()
    {
        Log log = FilledLog(200);
        // The first is connected again: now the second is the oldest.
        log.Add(Connected(log.State, 0));
        IReadOnlyList<IMeshEvent> events = Connected(log.State, 1000);
        events.Count.ShouldBe(2);
        events[0].ShouldBe(new CacheEntryEvicted(EventSamples.Peer(1), EvictionReason.Capacity));
        events[1].ShouldBeOfType<CacheEntryAdded>().Peer.ShouldBe(EventSamples.Peer(1000));
        log.Add(events);
        log.State.Cache.Entries.Count.ShouldBe(200);
    }

    [Fact]
    public void A_cache_above_its_capacity_is_trimmed_to_it()
    {
        var log = new Log();
        for (var i = 0; i < 203; i++)
            log.Add([new CacheEntryAdded(EventSamples.Peer(i), [EndPoint(i)], Certificate, ConnectionDirection.Outbound)]);
        IReadOnlyList<IMeshEvent> events = BootstrapCacheDecisions.TrimToCapacity(log.State);
        events.ShouldBe(
            [.. Enumerable.Range(0, 3).Reverse().Select(i => new CacheEntryEvicted(EventSamples.Peer(i), EvictionReason.Capacity))], ignoreOrder: true);
        log.Add(events);
        log.State.Cache.Entries.Count.ShouldBe(200);
        BootstrapCacheDecisions.TrimToCapacity(log.State).ShouldBeEmpty();
    }

    [Fact]
    public void The_fifth_failure_in_a_row_evicts()
    {
        Log log = FilledLog(2);
        log.Add(EventSamples.Joined(7));
        for (var failures = 1; failures < BootstrapCacheDecisions.MaxFailures; failures++)
        {
            log.Add(BootstrapCacheDecisions.Failed(log.State, Failure(1)));
            log.State.Cache.Entries[EventSamples.Peer(1)].Failures.ShouldBe(failures);
        }
        BootstrapCacheDecisions.Failed(log.State, Failure(1))
            .ShouldBe([Failure(1), new CacheEntryEvicted(EventSamples.Peer(1), EvictionReason.Failures)]);
    }

    [Fact]
    public void While_nobody_is_joined_failures_evict_nobody()
    {
        Log log = FilledLog(2);
        for (var failures = 1; failures <= 20; failures++)
        {
            BootstrapCacheDecisions.Failed(log.State, Failure(1)).ShouldBe([Failure(1)]);
            log.Add(Failure(1));
        }
        log.State.Cache.Entries[EventSamples.Peer(1)].Failures.ShouldBe(20);
        log.Add(EventSamples.Joined(7));
        BootstrapCacheDecisions.Failed(log.State, Failure(1)).Count.ShouldBe(2);
    }

    [Theory]
    [InlineData(MeshError.TooManyConnections)]
    [InlineData(MeshError.AlreadyConnected)]
    [InlineData(MeshError.NodeStopped)]
    [InlineData(MeshError.Aborted)]
    [InlineData(MeshError.ReverseCheckFailed)]
    public void A_refusal_or_a_failure_of_our_own_says_nothing_against_a_node(MeshError error)
    {
        Log log = FilledLog(2);
        log.Add(EventSamples.Joined(7));
        for (var i = 0; i < 10; i++)
            log.Add(BootstrapCacheDecisions.Failed(log.State, Failure(1) with { Error = error }));
        log.State.Cache.Entries[EventSamples.Peer(1)].Failures.ShouldBe(0);
    }

    [Fact]
    public void The_tries_of_a_failing_node_lie_ever_further_apart()
    {
        Enumerable.Range(0, 8).Select(failures => BootstrapCacheDecisions.RetryDelay(failures).TotalSeconds)
            .ShouldBe([0, 30, 120, 480, 1920, 3600, 3600, 3600]);
        Log log = FilledLog(2);
        log.Add(Failure(1), Failure(1));
        BootstrapCacheEntry entry = log.State.Cache.Entries[EventSamples.Peer(1)];
        BootstrapCacheDecisions.IsDue(entry, log.Time.AddSeconds(119)).ShouldBeFalse();
        BootstrapCacheDecisions.IsDue(entry, log.Time.AddSeconds(120)).ShouldBeTrue();
    }

    [Fact]
    public void The_ninth_node_of_a_network_takes_the_place_of_its_least_recently_connected()
    {
        Log log = FilledLog(1);
        for (var i = 100; i < 108; i++)
            log.Add(InNetwork(log.State, i, "203.0.113"));
        log.State.Cache.Entries.Count.ShouldBe(9);
        InNetwork(log.State, 108, "203.0.113")[0].ShouldBe(new CacheEntryEvicted(EventSamples.Peer(100), EvictionReason.Prefix));
        InNetwork(log.State, 108, "203.0.113", maxPerPrefix: 9).ShouldHaveSingleItem();
    }

    [Fact]
    public void A_node_that_moves_into_a_full_network_takes_a_place_there()
    {
        Log log = FilledLog(1);
        for (var i = 100; i < 108; i++)
            log.Add(InNetwork(log.State, i, "203.0.113"));
        IReadOnlyList<IMeshEvent> events = InNetwork(log.State, 0, "203.0.113");
        events[0].ShouldBe(new CacheEntryEvicted(EventSamples.Peer(100), EvictionReason.Prefix));
        events[1].ShouldBeOfType<CacheEntryRefreshed>().Peer.ShouldBe(EventSamples.Peer(0));
    }

    [Theory]
    [InlineData("10.1.2")]
    [InlineData("192.168.7")]
    [InlineData("127.0.0")]
    public void Private_networks_have_no_limit_of_their_own(string network)
    {
        var log = new Log();
        for (var i = 0; i < 50; i++)
            log.Add(InNetwork(log.State, i, network));
        log.State.Cache.Entries.Count.ShouldBe(50);
    }

    [Fact]
    public void An_IPv6_network_is_a_48()
    {
        var log = new Log();
        for (var i = 0; i < 20; i++)
        {
            var endpoint = new IPEndPoint(IPAddress.Parse($"2001:db8:1:{i:x}::1"), 4433);
            log.Add(BootstrapCacheDecisions.Connected(log.State, EventSamples.Peer(i), [endpoint], Certificate, ConnectionDirection.Outbound));
        }
        log.State.Cache.Entries.Count.ShouldBe(8);
    }

    [Fact]
    public void Nodes_that_dialled_us_take_half_of_the_cache_at_most()
    {
        Log log = FilledLog(150);
        for (var i = 200; i < 350; i++)
        {
            log.Add(BootstrapCacheDecisions.Connected(
                log.State, EventSamples.Peer(i), [EndPoint(i)], Certificate, ConnectionDirection.Inbound));
        }
        ILookup<ConnectionDirection, BootstrapCacheEntry> byOrigin = log.State.Cache.NewestFirst().ToLookup(entry => entry.Origin);
        byOrigin[ConnectionDirection.Inbound].Count().ShouldBe(100);
        byOrigin[ConnectionDirection.Outbound].Count().ShouldBe(100);
        BootstrapCacheDecisions.Connected(log.State, EventSamples.Peer(400), [EndPoint(400)], Certificate, ConnectionDirection.Inbound)[0]
            .ShouldBe(new CacheEntryEvicted(EventSamples.Peer(250), EvictionReason.Inbound));
    }

    [Fact]
    public void Import_fills_what_is_free_and_drives_nobody_out()
    {
        Log log = FilledLog(198);
        IReadOnlyList<IMeshEvent> events = BootstrapCacheDecisions.Imported(
            log.State, [.. new[] { 5, 300, 301, 300, 302 }.Select(i => new CacheRecord(EventSamples.Peer(i), [EndPoint(i)], Certificate))]);
        events.Cast<CacheEntryAdded>().Select(added => added.Peer).ShouldBe([EventSamples.Peer(301), EventSamples.Peer(300)]);
        log.Add(events);
        log.State.Cache.NewestFirst().First().Peer.ShouldBe(EventSamples.Peer(300));
        log.State.Cache.Entries.Count.ShouldBe(200);
    }

    [Fact]
    public void A_peer_in_another_network_that_has_reached_a_node_confirms_it()
    {
        Log log = FilledLog(2);
        PeerId peer = EventSamples.Peer(1), by = EventSamples.Peer(9);
        BootstrapCacheDecisions.ToldOf(log.State, peer, EndPoint(1), by, EndPoint(9).Address).ShouldBe([new CacheEntryConfirmed(peer, by)]);
        BootstrapCacheDecisions.ToldOf(log.State, peer, EndPoint(1), by, EndPoint(1).Address).ShouldBeEmpty();
        BootstrapCacheDecisions.ToldOf(log.State, peer, EndPoint(2), by, EndPoint(9).Address).ShouldBeEmpty();
        BootstrapCacheDecisions.ToldOf(log.State, peer, EndPoint(1), peer, EndPoint(9).Address).ShouldBeEmpty();
    }

    [Fact]
    public void A_feeler_tries_whom_it_may_and_every_second_time_one_that_is_only_probed()
    {
        Log log = FilledLog(6);
        log.Add(EventSamples.Joined(0), new CacheEntryConfirmed(EventSamples.Peer(2), null), new CacheEntryConfirmed(EventSamples.Peer(3), null), Failure(1));
        HashSet<PeerId> tried = [], first = [];
        for (double choice = 0; choice < 1; choice += 0.01)
        {
            PeerId peer = BootstrapCacheDecisions.Feeler(log.State, log.Time, choice)!.Peer;
            tried.Add(peer);
            if (choice < 0.5) first.Add(peer);
        }
        tried.Order().ShouldBe([EventSamples.Peer(2), EventSamples.Peer(3), EventSamples.Peer(4), EventSamples.Peer(5)]);
        first.Order().ShouldBe([EventSamples.Peer(4), EventSamples.Peer(5)]);
        BootstrapCacheDecisions.Feeler(MeshState.Empty, log.Time, 0.3).ShouldBeNull();
    }

    [Fact]
    public void A_connection_between_failures_starts_the_count_anew()
    {
        Log log = FilledLog(2);
        for (var i = 0; i < 4; i++)
            log.Add(BootstrapCacheDecisions.Failed(log.State, Failure(1)));
        log.Add(Connected(log.State, 1));
        BootstrapCacheDecisions.Failed(log.State, Failure(1)).ShouldBe([Failure(1)]);
    }

    [Fact]
    public void A_failed_dial_to_nobody_in_the_cache_is_only_itself()
    {
        var toAddress = new DialFailed(EventSamples.EndPoint4, null, MeshError.Timeout, "");
        BootstrapCacheDecisions.Failed(Filled(2), toAddress).ShouldBe([toAddress]);
        BootstrapCacheDecisions.Failed(Filled(2), Failure(9)).ShouldBe([Failure(9)]);
    }

    [Fact]
    public void A_node_is_confirmed_once()
    {
        Log log = FilledLog(2);
        IReadOnlyList<IMeshEvent> events = BootstrapCacheDecisions.Confirmed(log.State, EventSamples.Peer(1), EventSamples.Peer(0));
        events.ShouldBe([new CacheEntryConfirmed(EventSamples.Peer(1), EventSamples.Peer(0))]);
        log.Add(events);
        BootstrapCacheDecisions.Confirmed(log.State, EventSamples.Peer(1), null).ShouldBeEmpty();
        BootstrapCacheDecisions.Confirmed(log.State, EventSamples.Peer(5), null).ShouldBeEmpty();
    }

    [Fact]
    public void Only_a_cached_node_is_removed_by_hand()
    {
        BootstrapCacheDecisions.Removed(Filled(2), EventSamples.Peer(1)).ShouldBe([new CacheEntryEvicted(EventSamples.Peer(1), EvictionReason.ByHand)]);
        BootstrapCacheDecisions.Removed(Filled(2), EventSamples.Peer(5)).ShouldBeEmpty();
    }

    [Fact]
    public void Only_a_cached_node_that_is_joined_as_a_client_is_not_reachable()
    {
        Log log = FilledLog(3);
        log.Add(EventSamples.Joined(1), EventSamples.Joined(5));
        BootstrapCacheDecisions.Downgraded(log.State, EventSamples.Peer(1)).ShouldBeEmpty("it is a node");
        log.Add(new PeerUpdated(EventSamples.Peer(1), PeerKind.Client, []), new PeerUpdated(EventSamples.Peer(5), PeerKind.Client, []));
        BootstrapCacheDecisions.Downgraded(log.State, EventSamples.Peer(1))
            .ShouldBe([new CacheEntryEvicted(EventSamples.Peer(1), EvictionReason.NotReachable)]);
        BootstrapCacheDecisions.Downgraded(log.State, EventSamples.Peer(2)).ShouldBeEmpty("it is not joined");
        BootstrapCacheDecisions.Downgraded(log.State, EventSamples.Peer(5)).ShouldBeEmpty("it is not cached");
        log.Add(new PeerLeft(EventSamples.Peer(1), CloseReason.Lost));
        BootstrapCacheDecisions.Downgraded(log.State, EventSamples.Peer(1)).ShouldBeEmpty("it has left meanwhile");
    }

    [Fact]
    public void A_node_without_an_endpoint_is_refused() =>
        Should.Throw<ArgumentException>(() =>
            BootstrapCacheDecisions.Connected(MeshState.Empty, EventSamples.Peer(1), [], Certificate, ConnectionDirection.Inbound));

    [Fact]
    public void The_cap_is_never_exceeded_and_the_most_recent_200_are_kept() =>
        Gen.Select(Gen.Int[0, 300], Gen.Int[0, 9]).Array[0, 700].Sample(
            steps =>
            {
                var log = new Log();
                var recent = new List<PeerId>();
                foreach ((int number, int action) in steps)
                {
                    PeerId peer = EventSamples.Peer(number);
                    IReadOnlyList<IMeshEvent> events = action switch
                    {
                        0 => BootstrapCacheDecisions.Failed(log.State, Failure(number)),
                        1 => BootstrapCacheDecisions.Removed(log.State, peer),
                        _ => Connected(log.State, number),
                    };
                    foreach (IMeshEvent data in events)
                    {
                        log.Add([data]);
                        log.State.Cache.Entries.Count.ShouldBeLessThanOrEqualTo(BootstrapCacheState.Capacity);
                    }
                    // The model: a list, the most recent last.
                    foreach (CacheEntryEvicted evicted in events.OfType<CacheEntryEvicted>().Where(evicted => evicted.Reason != EvictionReason.Capacity))
                        recent.Remove(evicted.Peer);
                    if (action <= 1)
                        continue;
                    recent.Remove(peer);
                    recent.Add(peer);
                    if (recent.Count > BootstrapCacheState.Capacity)
                        recent.RemoveAt(0);
                }
                log.State.Cache.NewestFirst().Select(entry => entry.Peer).ShouldBe(Enumerable.Reverse(recent));
            },
            iter: 100);

    [Fact]
    public void All_limits_hold_after_every_event_and_a_rebuild_equals_the_live_cache() =>
        Gen.Select(Gen.Int[0, 400], Gen.Int[0, 19], Gen.Int[0, 30]).Array[0, 600].Sample(
            steps =>
            {
                var log = new Log();
                List<RecordedEvent> recorded = [];
                foreach ((int number, int action, int network) in steps)
                {
                    foreach (IMeshEvent data in Step(log.State, number, action, network))
                    {
                        log.Add([data]);
                        recorded.Add(new RecordedEvent(Guid.Empty, 1, recorded.Count + 1, log.Time, data, null));
                        ShouldKeepTheLimits(log.State.Cache);
                    }
                }
                // Rebuilt from what the store holds: each event written and read again.
                BootstrapCacheState rebuilt = BootstrapCacheState.Empty;
                foreach (RecordedEvent one in recorded)
                {
                    EventDescriptor descriptor = EventRegistry.Default.Get(one.Data.GetType());
                    IMeshEvent read = MeshJson.Deserialize(descriptor, MeshJson.Serialize(one.Data));
                    rebuilt = BootstrapCacheState.Apply(rebuilt, one with { Data = read });
                }
                rebuilt.NewestFirst().Select(Text).ShouldBe(log.State.Cache.NewestFirst().Select(Text));
            },
            iter: 60);

    private static IReadOnlyList<IMeshEvent> Step(MeshState state, int number, int action, int network)
    {
        PeerId peer = EventSamples.Peer(number);
        var record = new CacheRecord(peer, [new IPEndPoint(new IPAddress([30, 0, (byte)network, (byte)number]), 1)], Certificate);
        return action switch
        {
            0 => BootstrapCacheDecisions.Removed(state, peer),
            1 => TrustDecisions.Block(state, peer, "why", null, "root"),
            2 => TrustDecisions.Block(state, new IPNetwork(new IPAddress([30, 0, (byte)network, 0]), 24), "why", null, "root"),
            3 => BootstrapCacheDecisions.Imported(state, [record, record with { Peer = EventSamples.Peer(number + 1) }]),
            4 => BootstrapCacheDecisions.Confirmed(state, peer, null),
            5 => state.Peers.Joined.ContainsKey(peer) ? [new PeerLeft(peer, CloseReason.Lost)] : [EventSamples.Joined(number)],
            6 or 7 => BootstrapCacheDecisions.Failed(state, Failure(number)),
            8 => BootstrapCacheDecisions.TrimToCapacity(state),
            < 14 => BootstrapCacheDecisions.Connected(state, peer, record.Endpoints, Certificate, ConnectionDirection.Inbound),
            < 16 => BootstrapCacheDecisions.Connected(state, peer, [EndPoint(number)], Certificate, ConnectionDirection.Inbound),
            _ => BootstrapCacheDecisions.Connected(state, peer, [EndPoint(number)], Certificate, ConnectionDirection.Outbound),
        };
    }

    private static void ShouldKeepTheLimits(BootstrapCacheState cache)
    {
        cache.Entries.Count.ShouldBeLessThanOrEqualTo(BootstrapCacheState.Capacity);
        cache.Entries.Values.Count(entry => entry.Origin == ConnectionDirection.Inbound).ShouldBeLessThanOrEqualTo(BootstrapCacheDecisions.MaxInbound);
        int most = cache.Entries.Values.GroupBy(entry => new IPAddress([.. entry.Endpoints[0].Address.GetAddressBytes()[..3], 0])).Select(g => g.Count())
            .DefaultIfEmpty().Max();
        most.ShouldBeLessThanOrEqualTo(BootstrapCacheDecisions.DefaultMaxPerPrefix);
    }

    private static string Text(BootstrapCacheEntry entry) =>
        $"{entry.Peer} {string.Join(',', entry.Endpoints)} {entry.Origin} {entry.AddedAt:O} {entry.LastConnectedAt:O} {entry.IsConfirmed} {entry.Failures} {entry.LastFailedAt:O}";

    private static IReadOnlyList<IMeshEvent> InNetwork(MeshState state, int number, string network, int maxPerPrefix = 8) =>
        BootstrapCacheDecisions.Connected(
            state, EventSamples.Peer(number), [IPEndPoint.Parse($"{network}.{number}:4433")], Certificate, ConnectionDirection.Outbound, maxPerPrefix);

    private static DialFailed Failure(int number) => new(EventSamples.EndPoint4, EventSamples.Peer(number), MeshError.Unreachable, "nobody answered");

    private static IReadOnlyList<IMeshEvent> Connected(MeshState state, int number) =>
        BootstrapCacheDecisions.Connected(state, EventSamples.Peer(number), [EndPoint(number)], Certificate, ConnectionDirection.Outbound);

    // Each in a network of its own.
    private static IPEndPoint EndPoint(int number) => new(new IPAddress([20, (byte)(number >> 8), (byte)number, 1]), 4433);

    private static MeshState Filled(int count) => FilledLog(count).State;

    private static Log FilledLog(int count)
    {
        var log = new Log();
        for (var i = 0; i < count; i++)
            log.Add(Connected(log.State, i));
        return log;
    }
}
