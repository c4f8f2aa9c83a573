using CsCheck;
using EventMesh.Bootstrap;
using EventMesh.Core.Tests.Journal;
using EventMesh.Core.Tests.Projections;
using EventMesh.Events;
using EventMesh.Identity;
using EventMesh.Projections;
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
            log.Add([new CacheEntryAdded(EventSamples.Peer(i), [EventSamples.EndPoint4], Certificate, ConnectionDirection.Outbound)]);
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
        for (var failures = 1; failures < BootstrapCacheDecisions.MaxFailures; failures++)
        {
            log.Add(BootstrapCacheDecisions.Failed(log.State, Failure(1)));
            log.State.Cache.Entries[EventSamples.Peer(1)].Failures.ShouldBe(failures);
        }
        BootstrapCacheDecisions.Failed(log.State, Failure(1))
            .ShouldBe([Failure(1), new CacheEntryEvicted(EventSamples.Peer(1), EvictionReason.Failures)]);
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

    private static DialFailed Failure(int number) => new(EventSamples.EndPoint4, EventSamples.Peer(number), MeshError.Unreachable, "nobody answered");

    private static IReadOnlyList<IMeshEvent> Connected(MeshState state, int number) =>
        BootstrapCacheDecisions.Connected(state, EventSamples.Peer(number), [EventSamples.EndPoint4], Certificate, ConnectionDirection.Outbound);

    private static MeshState Filled(int count) => FilledLog(count).State;

    private static Log FilledLog(int count)
    {
        var log = new Log();
        for (var i = 0; i < count; i++)
            log.Add(Connected(log.State, i));
        return log;
    }
}
