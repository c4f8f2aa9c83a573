using System.Net;
using EventMesh.Conformance;
using EventMesh.Events;
using EventMesh.Identity;
using EventMesh.Journal;
using EventMesh.Marten.Queries;
using EventMesh.Marten.Store;
using EventMesh.Marten.Tests.Fixture;
using EventMesh.Projections;
using Shouldly;

namespace EventMesh.Marten.Tests.Fleet;

/// <summary>A node's log of random events about twelve peers, written in batches of all sizes, and what the pure fold makes of it.</summary>
internal sealed class FleetLog(int seed)
{
    private readonly Random _random = new(seed);
    private readonly List<(Guid Id, PeerId Peer)> _open = [];
    private MeshState _state = MeshState.Empty;

    public NodeId Node { get; } = new(Guid.NewGuid());

    /// <summary>The next place.</summary>
    public long Next { get; private set; } = 1;

    public async Task ClaimAsync(MartenEventStore store, CancellationToken cancellationToken)
    {
        RecordedEvent started = EventStoreSamples.Record(1, Next, EventStoreSamples.Started(Node))[0];
        await store.ClaimEpochAsync(Node, started, cancellationToken);
        Apply(started);
    }

    public async Task AppendAsync(MartenEventStore store, CancellationToken cancellationToken) =>
        await AppendAsync(store, _random.Next(1, 60), cancellationToken);

    public async Task AppendAsync(MartenEventStore store, int count, CancellationToken cancellationToken)
    {
        RecordedEvent[] batch = EventStoreSamples.Record(1, Next, [.. Enumerable.Range(0, count).Select(_ => NextEvent())]);
        await store.AppendAsync(Node, batch, cancellationToken);
        foreach (RecordedEvent recorded in batch)
            Apply(recorded);
    }

    /// <summary>Somebody else has appended events.</summary>
    public void Skip(int count) => Next += count;

    /// <summary>Waits until the projections have followed the log to its end.</summary>
    public Task WaitAsync(MartenEventStore store) =>
        Eventually.IsTrueAsync(async token => (await store.Queries.GetProjectionsAsync(Node, token)).All(projection => projection.NodeSeq >= Next - 1));

    /// <summary>Each row of the present is one that the fold has, and the other way round.</summary>
    public async Task ShouldBeShownAsync(MartenEventStore store, CancellationToken cancellationToken)
    {
        IReadOnlyList<BootstrapCacheEntry> cache = await store.Queries.GetCacheAsync(Node, null, cancellationToken);
        cache.Select(entry => $"{entry.Peer} {entry.Failures} {entry.LastConnectedAt:O}").Order(StringComparer.Ordinal)
            .ShouldBe(_state.Cache.NewestFirst().Select(entry => $"{entry.Peer} {entry.Failures} {entry.LastConnectedAt:O}").Order(StringComparer.Ordinal));
        IReadOnlyList<JoinedPeer> peers = await store.Queries.GetPeersAsync(Node, null, cancellationToken);
        peers.Select(peer => $"{peer.Peer} {peer.Instance} {peer.JoinedAt:O}")
            .ShouldBe(_state.Peers.Joined.Values.OrderBy(peer => peer.Peer).Select(peer => $"{peer.Peer} {peer.Instance} {peer.JoinedAt:O}"));
        IReadOnlyList<ConnectionRecord> open = await store.Queries.GetConnectionsAsync(
            Node, new ConnectionFilter { OpenAt = DateTimeOffset.MaxValue, Limit = 1000 }, cancellationToken);
        open.Select(row => row.Connection).Order().ShouldBe(_state.Connections.Open.Values.OrderByDescending(row => row.OpenedAt).Take(1000)
            .Select(row => row.Connection).Order());
    }

    private void Apply(RecordedEvent recorded)
    {
        _state = MeshState.Apply(_state, recorded);
        Next++;
    }

    private IMeshEvent NextEvent()
    {
        PeerId peer = EventStoreSamples.Peer(_random.Next(12));
        switch (_random.Next(8))
        {
            case 0: return new CacheEntryAdded(peer, [new IPEndPoint(_random.Next(), 7)], [1], ConnectionDirection.Outbound);
            case 1: return new CacheEntryConfirmed(peer, null);
            case 2: return new CacheEntryEvicted(peer, EvictionReason.Failures);
            case 3: return new DialFailed(new IPEndPoint(1, 1), peer, MeshError.Timeout, "x");
            case 4: return new PeerJoined(peer, Guid.NewGuid(), PeerKind.Node, [], "agent");
            case 5: return new PeerLeft(peer, CloseReason.Idle);
            case 6 when _open.Count > 0:
                (Guid id, PeerId closed) = _open[^1];
                _open.RemoveAt(_open.Count - 1);
                return new ConnectionClosed(id, closed, CloseReason.Remote, 1, 2, 3, 4, TimeSpan.FromSeconds(1));
            default:
                if (_open.Count > 50)
                    return new PeerUpdated(peer, PeerKind.Node, []);
                _open.Add((Guid.NewGuid(), peer));
                return new ConnectionOpened(_open[^1].Id, peer, new IPEndPoint(IPAddress.Loopback, 9), ConnectionDirection.Inbound);
        }
    }
}
