using System.Net;
using EventMesh.Conformance;
using EventMesh.Events;
using EventMesh.Identity;

namespace EventMesh.Marten.Tests.Projections;

/// <summary>
/// A log of any events that a projection folds, in any order that a log could have, drawn from a seed. Few peers, contacts and ranges, so that decisions meet;
/// also what no node would record in that order, such as an end without a beginning: a fold has an answer to everything.
/// </summary>
internal sealed class RandomLog(NodeId node, int seed)
{
    private readonly Random _random = new(seed);
    private readonly List<(Guid Id, PeerId Peer)> _open = [];
    private int _epoch;

    public List<RecordedEvent> Events { get; } = [];

    /// <summary>The next events: one that takes the log over, alone, or some of one run.</summary>
    public RecordedEvent[] Next()
    {
        bool starts = _epoch == 0 || _random.Next(12) == 0;
        if (starts)
            _epoch++;
        IEnumerable<IMeshEvent> events = starts
            ? [EventStoreSamples.Started(node) with { Peer = Peer(), Kind = (PeerKind)_random.Next(2) }]
            : Enumerable.Range(0, _random.Next(1, 25)).Select(_ => Draw()).ToArray();
        RecordedEvent[] batch = EventStoreSamples.Record(_epoch, Events.Count + 1, events);
        Events.AddRange(batch);
        return batch;
    }

    private IMeshEvent Draw() => _random.Next(6) switch
    {
        0 => DrawCache(),
        1 => DrawPeer(),
        2 => DrawConnection(),
        3 => DrawNode(),
        _ => DrawTrust(),
    };

    private IMeshEvent DrawCache() => _random.Next(5) switch
    {
        0 => new CacheEntryAdded(Peer(), EndPoints(), Bytes(), (ConnectionDirection)_random.Next(2)),
        1 => new CacheEntryRefreshed(Peer(), EndPoints(), Bytes()),
        2 => new CacheEntryConfirmed(Peer(), _random.Next(2) == 0 ? null : Peer()),
        3 => new CacheEntryEvicted(Peer(), EvictionReason.Capacity),
        _ => new DialFailed(EndPoint(), _random.Next(3) == 0 ? null : Peer(), _random.Next(2) == 0 ? MeshError.Timeout : MeshError.Busy, "x"),
    };

    private IMeshEvent DrawPeer() => _random.Next(3) switch
    {
        0 => new PeerJoined(Peer(), new Guid(_random.Next(), 0, 0, new byte[8]), (PeerKind)_random.Next(2), EndPoints(), $"agent/{_random.Next(3)}"),
        1 => new PeerUpdated(Peer(), (PeerKind)_random.Next(2), EndPoints()),
        _ => new PeerLeft(Peer(), CloseReason.Idle),
    };

    private IMeshEvent DrawConnection()
    {
        if (_open.Count > 0 && _random.Next(2) == 0)
        {
            (Guid id, PeerId peer) = _open[_random.Next(_open.Count)];
            _open.RemoveAll(connection => connection.Id == id);
            return new ConnectionClosed(id, peer, CloseReason.Remote, _random.Next(), 2, 3, 4, TimeSpan.FromSeconds(1));
        }
        _open.Add((Guid.NewGuid(), Peer()));
        return new ConnectionOpened(_open[^1].Id, _open[^1].Peer, EndPoint(), (ConnectionDirection)_random.Next(2));
    }

    private IMeshEvent DrawNode() => _random.Next(5) switch
    {
        0 => new NodeStopped("told to"),
        1 => new IdentityCreated(Peer(), "ecdsa-p256"),
        2 => new IdentityRotated(Peer(), Peer(), 1, EventStoreSamples.Start),
        3 => new ReachabilityChanged((Reachability)_random.Next(3)),
        _ => new EndpointObserved(EndPoint(), Peer()),
    };

    private IMeshEvent DrawTrust()
    {
        // Some end before the next decision on their subject: events are a millisecond apart.
        DateTimeOffset? until = _random.Next(2) == 0 ? null : EventStoreSamples.Start.AddMilliseconds(_random.Next(400));
        string reason = $"reason {_random.Next(5)}";
        return _random.Next(11) switch
        {
            0 => new PeerPinned(Contact(), Peer(), (PinOrigin)_random.Next(2), "root"),
            1 => new PeerUnpinned(Contact(), Peer(), reason, "root"),
            2 => new PeerTrusted(Peer(), reason, "ann"),
            3 => new PeerBlocked(Peer(), reason, until, "bob"),
            4 => new PrefixBlocked(Prefix(), reason, until, TrustAuthor.Limits),
            5 => new Unblocked(Peer(), null, reason, "root"),
            6 => new Unblocked(null, Prefix(), reason, "root"),
            7 => new CertificateRevoked(Peer(), null, reason, "root"),
            8 => new CertificateRevoked(null, $"{_random.Next(3):x64}", reason, "root"),
            9 => new KeySucceeded(Peer(), Peer(), 1, EventStoreSamples.Start),
            _ => _random.Next(2) == 0
                ? new SuccessionDisputed(Peer(), Peer(), Peer())
                : new SuccessionDecided(Peer(), _random.Next(2) == 0 ? null : Peer(), "root"),
        };
    }

    private PeerId Peer() => EventStoreSamples.Peer(_random.Next(6));

    private string Contact() => $"host-{_random.Next(3)}:1";

    private IPNetwork Prefix() => new(new IPAddress([10, (byte)_random.Next(3), 0, 0]), 16);

    private IPEndPoint EndPoint() => new(IPAddress.Loopback, _random.Next(65536));

    private IPEndPoint[] EndPoints() => [.. Enumerable.Range(0, _random.Next(3)).Select(_ => EndPoint())];

    private byte[] Bytes()
    {
        byte[] bytes = new byte[_random.Next(4)];
        _random.NextBytes(bytes);
        return bytes;
    }
}
