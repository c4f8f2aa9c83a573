using EventMesh.Core.Tests.Journal;
using EventMesh.Events;
using EventMesh.Identity;
using EventMesh.Projections;
using Shouldly;
using Xunit;

namespace EventMesh.Core.Tests.Projections;

public sealed class MeshStateTests
{
    private static readonly byte[] Certificate = [1];
    private static readonly byte[] Renewed = [2];

    private readonly Log _log = new();

    [Fact]
    public void A_cache_entry_begins_unconfirmed_and_without_failures()
    {
        _log.Add(new CacheEntryAdded(EventSamples.Peer(1), [EventSamples.EndPoint4], Certificate, ConnectionDirection.Inbound));
        BootstrapCacheEntry entry = _log.State.Cache.Entries[EventSamples.Peer(1)];
        entry.ShouldBe(new BootstrapCacheEntry(
            EventSamples.Peer(1), entry.Endpoints, Certificate, ConnectionDirection.Inbound, _log.Time, _log.Time, IsConfirmed: false, Failures: 0));
    }

    [Fact]
    public void A_refreshed_entry_keeps_its_past_and_takes_the_new_address_certificate_and_time()
    {
        PeerId peer = EventSamples.Peer(1);
        _log.Add(new CacheEntryAdded(peer, [EventSamples.EndPoint4], Certificate, ConnectionDirection.Inbound));
        DateTimeOffset added = _log.Time;
        _log.Add(new CacheEntryConfirmed(peer, null), Failed(peer), new CacheEntryRefreshed(peer, [EventSamples.EndPoint6], Renewed));
        BootstrapCacheEntry entry = _log.State.Cache.Entries[peer];
        (entry.AddedAt, entry.LastConnectedAt, entry.Origin, entry.IsConfirmed, entry.Failures)
            .ShouldBe((added, _log.Time, ConnectionDirection.Inbound, true, 0));
        entry.Endpoints.ShouldBe([EventSamples.EndPoint6]);
        entry.Certificate.ShouldBe(Renewed);
    }

    [Fact]
    public void Failed_dials_are_counted_until_the_node_is_reached()
    {
        PeerId peer = EventSamples.Peer(1);
        _log.Add(new CacheEntryAdded(peer, [EventSamples.EndPoint4], Certificate, ConnectionDirection.Inbound), Failed(peer), Failed(peer));
        _log.State.Cache.Entries[peer].Failures.ShouldBe(2);
        _log.Add(Failed(EventSamples.Peer(2)), new DialFailed(EventSamples.EndPoint4, null, MeshError.Timeout, ""));
        _log.State.Cache.Entries[peer].Failures.ShouldBe(2);
        _log.Add(new CacheEntryConfirmed(peer, EventSamples.Peer(3)));
        _log.State.Cache.Entries[peer].Failures.ShouldBe(0);
    }

    [Fact]
    public void The_cache_is_ordered_by_the_last_connection()
    {
        foreach (int number in (int[])[3, 1, 2])
            _log.Add(new CacheEntryAdded(EventSamples.Peer(number), [EventSamples.EndPoint4], Certificate, ConnectionDirection.Inbound));
        _log.Add(new CacheEntryRefreshed(EventSamples.Peer(3), [EventSamples.EndPoint4], Certificate));
        _log.State.Cache.NewestFirst().Select(entry => entry.Peer).ShouldBe([EventSamples.Peer(3), EventSamples.Peer(2), EventSamples.Peer(1)]);
        _log.Add(new CacheEntryEvicted(EventSamples.Peer(2), EvictionReason.Capacity));
        _log.State.Cache.NewestFirst().Select(entry => entry.Peer).ShouldBe([EventSamples.Peer(3), EventSamples.Peer(1)]);
    }

    [Fact]
    public void Events_about_nodes_that_are_not_cached_change_nothing()
    {
        _log.Add(new CacheEntryRefreshed(EventSamples.Peer(1), [EventSamples.EndPoint4], Certificate), new CacheEntryConfirmed(EventSamples.Peer(1), null),
            new CacheEntryEvicted(EventSamples.Peer(1), EvictionReason.ByHand));
        _log.State.Cache.Entries.ShouldBeEmpty();
    }

    [Fact]
    public void A_peer_is_in_the_directory_while_it_is_joined()
    {
        _log.Add(EventSamples.Joined(1));
        JoinedPeer joined = _log.State.Peers.Joined[EventSamples.Peer(1)];
        (joined.Kind, joined.Agent, joined.JoinedAt).ShouldBe((PeerKind.Node, "mesh/0.1.0", _log.Time));
        _log.Add(new PeerUpdated(EventSamples.Peer(1), PeerKind.Client, []), new PeerUpdated(EventSamples.Peer(2), PeerKind.Client, []));
        JoinedPeer updated = _log.State.Peers.Joined.ShouldHaveSingleItem().Value;
        (updated.Kind, updated.Endpoints.Count, updated.JoinedAt).ShouldBe((PeerKind.Client, 0, joined.JoinedAt));
        _log.Add(new PeerLeft(EventSamples.Peer(1), CloseReason.Idle));
        _log.State.Peers.Joined.ShouldBeEmpty();
    }

    [Fact]
    public void A_connection_is_open_until_it_is_closed()
    {
        ConnectionOpened opened = EventSamples.Opened(1);
        _log.Add(opened);
        _log.State.Connections.Open[opened.Connection].ShouldBe(
            new OpenConnection(opened.Connection, opened.Peer, opened.Remote, opened.Direction, _log.Time));
        _log.Add(EventSamples.Opened(2), new ConnectionClosed(opened.Connection, opened.Peer, CloseReason.Lost, 0, 0, 0, 0, TimeSpan.Zero));
        _log.State.Connections.Open.Keys.ShouldBe([EventSamples.Opened(2).Connection]);
    }

    [Fact]
    public void A_start_forgets_what_only_the_last_process_knew()
    {
        _log.Add(
            new IdentityCreated(EventSamples.Peer(1), "ecdsa-p256"), EventSamples.Started, new ReachabilityChanged(Reachability.Reachable),
            new EndpointObserved(EventSamples.EndPoint4, EventSamples.Peer(2)),
            new CertificateAccepted(EventSamples.Peer(2), "CN=x", Log.Start, TrustMode.Encrypted));
        NodeState before = _log.State.Node;
        (before.IsRunning, before.Reachability, before.ObservedEndPoint).ShouldBe((true, Reachability.Reachable, EventSamples.EndPoint4));
        _log.Add(new NodeStopped("done"));
        _log.State.Node.IsRunning.ShouldBeFalse();
        _log.Add(EventSamples.Started);
        NodeState after = _log.State.Node;
        (after.IsRunning, after.Reachability, after.ObservedEndPoint, after.Identity).ShouldBe((true, Reachability.Unknown, null, EventSamples.Peer(1)));
        after.KnownKeys.ShouldBe([EventSamples.Peer(2)]);
    }

    [Fact]
    public void Every_event_can_be_applied_to_the_empty_state_and_leaves_the_old_state_as_it_was()
    {
        foreach (IMeshEvent data in EventSamples.All)
            _log.Add(data);
        MeshState.Empty.Cache.Entries.ShouldBeEmpty();
        MeshState.Empty.Connections.Open.ShouldBeEmpty();
        _log.State.Node.KnownKeys.Count.ShouldBe(1);
    }

    private static DialFailed Failed(PeerId peer) => new(EventSamples.EndPoint4, peer, MeshError.Unreachable, "");
}
