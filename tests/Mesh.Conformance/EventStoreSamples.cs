using System.Net;
using System.Text.Json;
using EventMesh.Events;
using EventMesh.Identity;

namespace EventMesh.Conformance;

/// <summary>Events for the tests of stores: one of each type, with a value in each field that a careless store would lose.</summary>
public static class EventStoreSamples
{
    private static readonly IPEndPoint V4 = new(IPAddress.Parse("192.0.2.7"), 4433);
    private static readonly IPEndPoint V6 = new(IPAddress.Parse("2001:db8::7"), 65535);

    /// <summary>The time of the first event: shortly before a month ends, so that streams of two months take part.</summary>
    public static DateTimeOffset Start { get; } = new(2026, 11, 30, 23, 59, 59, TimeSpan.Zero);

    public static PeerId Peer(int number)
    {
        byte[] bytes = new byte[PeerId.Length];
        BitConverter.TryWriteBytes(bytes, number + 1);
        return new PeerId(bytes);
    }

    public static NodeStarted Started(NodeId node) => new(node, Peer(0), Guid.NewGuid(), PeerKind.Node, "test/1.0", "memory");

    /// <summary>One event of each type.</summary>
    public static IReadOnlyList<IMeshEvent> EveryType(NodeId node) =>
    [
        Started(node), new NodeStopped("with an umlaut ü, a quote \" and a \\u0041"), new IdentityCreated(Peer(1), "ecdsa-p256"),
        new EndpointObserved(V6, Peer(2)), new ReachabilityChanged(Reachability.Unreachable),
        new BootstrapSucceeded(BootstrapSource.Cache, Peer(2), V4, 3, TimeSpan.FromTicks(12_345_678)), new BootstrapFailed(7, TimeSpan.FromDays(2)),
        new PeerDiscovered(Peer(3), V4, DiscoverySource.PeerExchange), new DialFailed(V6, null, MeshError.Unreachable, ""),
        new DialFailed(V4, Peer(3), MeshError.WrongPeer, "detail"),
        new ConnectionOpened(Guid.NewGuid(), Peer(3), V4, ConnectionDirection.Inbound), new ReverseConnectivityConfirmed(Peer(3), V4),
        new ReverseConnectivityFailed(Peer(3), [V4, V6], MeshError.Timeout), new PeerJoined(Peer(3), Guid.NewGuid(), PeerKind.Client, [], "a/1"),
        new PeerUpdated(Peer(3), PeerKind.Node, [V6]),
        new ConnectionClosed(Guid.NewGuid(), Peer(3), CloseReason.Crash, long.MaxValue, 0, 1, 2, TimeSpan.FromTicks(1)),
        new PeerLeft(Peer(3), CloseReason.PeerShutdown), new InboundRefused("203.0.113.0/24", MeshError.TooManyConnections, 17),
        new CacheEntryAdded(Peer(4), [V4, V6], [0, 1, 255], ConnectionDirection.Outbound), new CacheEntryRefreshed(Peer(4), [V4], []),
        new CacheEntryConfirmed(Peer(4), Peer(5)), new CacheEntryConfirmed(Peer(4), null), new CacheEntryEvicted(Peer(4), EvictionReason.ByHand),
        new CertificateAccepted(Peer(5), "CN=node, O=Ünïcode", new DateTimeOffset(2030, 1, 2, 3, 4, 5, TimeSpan.Zero), TrustMode.Encrypted),
        new IdentityRotated(Peer(1), Peer(6), long.MaxValue, Start), new KeySucceeded(Peer(5), Peer(7), 1, Start),
        new SuccessionDisputed(Peer(5), Peer(7), Peer(8)), new SuccessionDecided(Peer(5), Peer(7), "operator"), new SuccessionDecided(Peer(5), null, ""),
        new LogSealed(1, [1, 2], [3], []), new PeerErased(Peer(6), 2, [0, 255]),
        new PluginLoaded("echo", "1.0"), new PluginFailed("echo", null, "line\nline"), new PluginFailed("echo", "MessageReceived", "x"),
        new PluginQuarantined("echo", 5), new PluginUnloaded("echo"),
        new PluginEvent("echo", "said", JsonSerializer.SerializeToElement(new { text = "hi", deep = new { list = new[] { 1.5, 2 } }, nothing = (string?)null })),
        new PeerPinned("node.example:4433", Peer(6), PinOrigin.FirstUse, TrustAuthor.FirstUse), new PinMismatch("[2001:db8::7]:4433", Peer(6), Peer(7), V6),
        new PeerUnpinned("node.example:4433", Peer(6), "", "root"),
        new PeerTrusted(Peer(6), "", "root"), new PeerBlocked(Peer(7), "it floods", new DateTimeOffset(2030, 1, 2, 3, 4, 5, TimeSpan.Zero), TrustAuthor.Limits),
        new PeerBlocked(Peer(7), "for ever", null, "root"), new PrefixBlocked(IPNetwork.Parse("2001:db8::/56"), "", null, "root"),
        new Unblocked(Peer(7), null, "", "root"), new Unblocked(null, IPNetwork.Parse("0.0.0.0/0"), "", "root"),
        new CertificateRevoked(Peer(7), null, "", "root"), new CertificateRevoked(null, new string('a', 64), "", "root"),
        new PeersSegmentOpened("2026-11", [new(Guid.NewGuid(), Peer(3), V6, ConnectionDirection.Inbound, Start)], [new(Peer(3), Guid.NewGuid(), PeerKind.Node, [V4], "a", Start)]),
        new CacheSegmentOpened("2026-11", [new(Peer(4), [V4, V6], [0, 1], ConnectionDirection.Inbound, Start, Start, IsConfirmed: true, 1, null)]),
        new SegmentArchived(StreamFamily.Cache, "2026-11", 1, long.MaxValue, 2, null), new SegmentDropped(StreamFamily.Peers, "2026-11", 1, 3, 2, "AA=="),
        new JournalStateChanged(LogState.Live, SpoolingCause.Unavailable, Start, Start.AddSeconds(90), long.MaxValue, 2),
        new ConnectionsSummarised(Start, 15, 20, [new(CloseReason.Idle, 7), new(CloseReason.PeerShutdown, 3)], 8, [new(CloseReason.Lost, 4)], 1, 2, 3, 5, 6, 11, 12, 13, 14),
    ];

    /// <summary>Gives events their places, one millisecond apart.</summary>
    public static RecordedEvent[] Record(int epoch, long firstSeq, params IEnumerable<IMeshEvent> events) =>
        [.. events.Select((data, i) => new RecordedEvent(
            Guid.CreateVersion7(), epoch, firstSeq + i, Start.AddMilliseconds(firstSeq + i), data,
            i % 2 == 0 ? "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01" : null))];
}
