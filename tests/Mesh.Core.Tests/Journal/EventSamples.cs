using System.Net;
using System.Text.Json;
using EventMesh.Events;
using EventMesh.Identity;

namespace EventMesh.Core.Tests.Journal;

/// <summary>One event of each type with fixed content: what the golden files hold.</summary>
internal static class EventSamples
{
    public static readonly NodeId Node = new(Guid.Parse("0190a1b2-c3d4-7e5f-8a6b-0c1d2e3f4a5b"));
    public static readonly IPEndPoint EndPoint4 = IPEndPoint.Parse("192.0.2.7:4433");
    public static readonly IPEndPoint EndPoint6 = IPEndPoint.Parse("[2001:db8::7]:4433");

    private static readonly Guid Connection = Guid.Parse("11111111-2222-7333-8444-555555555555");
    private static readonly Guid Instance = Guid.Parse("99999999-8888-4777-a666-555555555555");
    private static readonly byte[] Certificate = [0x30, 0x03, 0xff, 0xfe, 0xfb];
    private static readonly DateTimeOffset End = new(2027, 1, 2, 3, 4, 5, TimeSpan.Zero);
    private static readonly TimeSpan Duration = new(1, 2, 3, 4, 567);

    public static IReadOnlyList<IMeshEvent> All { get; } =
    [
        new NodeStarted(Node, Peer(1), Instance, PeerKind.Node, "mesh/0.1.0", "ngtcp2"),
        new NodeStopped("told to"),
        new IdentityCreated(Peer(1), "ecdsa-p256"),
        new EndpointObserved(EndPoint4, Peer(2)),
        new ReachabilityChanged(Reachability.Unreachable),
        new BootstrapSucceeded(BootstrapSource.Contact, Peer(2), EndPoint6, 3, Duration),
        new BootstrapFailed(4, TimeSpan.FromSeconds(1.5)),
        new PeerDiscovered(Peer(2), EndPoint4, DiscoverySource.PeerExchange),
        new DialFailed(EndPoint4, null, MeshError.Unreachable, "nobody answered"),
        new ConnectionOpened(Connection, Peer(2), EndPoint6, ConnectionDirection.Inbound),
        new ReverseConnectivityConfirmed(Peer(2), EndPoint4),
        new ReverseConnectivityFailed(Peer(2), [EndPoint4, EndPoint6], MeshError.Timeout),
        new PeerJoined(Peer(2), Instance, PeerKind.Node, [EndPoint4, EndPoint6], "mesh/0.1.0"),
        new PeerUpdated(Peer(2), PeerKind.Client, []),
        new ConnectionClosed(Connection, Peer(2), CloseReason.PeerShutdown, 1, 2, 3, 4, Duration),
        new PeerLeft(Peer(2), CloseReason.Idle),
        new InboundRefused("192.0.2.7/32", MeshError.TooManyConnections, 17),
        new CertificateAccepted(Peer(2), "CN=someone", new DateTimeOffset(2027, 1, 2, 3, 4, 5, TimeSpan.Zero), TrustMode.Encrypted),
        new CacheEntryAdded(Peer(2), [EndPoint4], Certificate, ConnectionDirection.Outbound),
        new CacheEntryRefreshed(Peer(2), [EndPoint6], Certificate),
        new CacheEntryConfirmed(Peer(2), Peer(3)),
        new CacheEntryEvicted(Peer(2), EvictionReason.ByHand),
        new LogSealed(41, Certificate, Certificate, Certificate),
        new PeerErased(Peer(2), 3, Certificate),
        new PluginLoaded("sample", "1.2.3"),
        new PluginFailed("sample", "MessageReceived", "it threw"),
        new PluginQuarantined("sample", 5),
        new PluginUnloaded("sample"),
        new PluginEvent("sample", "counted", JsonDocument.Parse("""{"Count":3,"tags":["a"]}""").RootElement),
        new IdentityRotated(Peer(1), Peer(2), 3, new DateTimeOffset(2027, 1, 2, 3, 4, 5, TimeSpan.Zero)),
        new KeySucceeded(Peer(2), Peer(3), 1, new DateTimeOffset(2027, 1, 2, 3, 4, 5, 678, TimeSpan.Zero)),
        new SuccessionDisputed(Peer(2), Peer(3), Peer(4)),
        new SuccessionDecided(Peer(2), Peer(4), "operator"),
        new PeerPinned("node.example:4433", Peer(2), PinOrigin.FirstUse, TrustAuthor.FirstUse),
        new PeerUnpinned("node.example:4433", Peer(2), "it moved", "root"),
        new PinMismatch("node.example:4433", Peer(2), Peer(3), EndPoint4),
        new PeerTrusted(Peer(2), "ours", "root"),
        new PeerBlocked(Peer(3), "it floods", End, TrustAuthor.Limits),
        new PrefixBlocked(IPNetwork.Parse("2001:db8::/56"), "it floods", null, "root"),
        new Unblocked(null, IPNetwork.Parse("192.0.2.0/24"), "a mistake", "root"),
        new CertificateRevoked(Peer(3), null, "the key was lost", "root"),
        new PeersSegmentOpened(
            "2026-11", [new(Connection, Peer(2), EndPoint6, ConnectionDirection.Inbound, End)],
            [new(Peer(2), Instance, PeerKind.Node, [EndPoint4, EndPoint6], "mesh/0.1.0", End)]),
        new CacheSegmentOpened(
            "2026-11", [new(Peer(2), [EndPoint4], Certificate, ConnectionDirection.Outbound, End, End, true, 2, End.AddDays(1))]),
        new SegmentArchived(StreamFamily.Peers, "2026-11", 17, 4711, 4000, "AAAA"),
        new SegmentDropped(StreamFamily.Peers, "2026-11", 17, 4711, 4000, null),
        new JournalStateChanged(LogState.Live, SpoolingCause.Unavailable, End, End.AddSeconds(90), 180_000, 2),
        new ConnectionsSummarised(End, 15, 20, [new(CloseReason.Idle, 7), new(CloseReason.PeerShutdown, 3)], 8, [new(CloseReason.Lost, 4)], 1, 2, 3, 5, 6, 11, 12, 13, 14),
    ];

    public static NodeStarted Started { get; } = (NodeStarted)All[0];

    public static PeerId Peer(int number)
    {
        var bytes = new byte[PeerId.Length];
        bytes[0] = (byte)(number >> 8);
        bytes[1] = (byte)number;
        return new PeerId(bytes);
    }

    public static ConnectionOpened Opened(int number) => new(new Guid(number, 0, 0, new byte[8]), Peer(number), EndPoint4, ConnectionDirection.Outbound);

    public static PeerJoined Joined(int number) => new(Peer(number), Instance, PeerKind.Node, [EndPoint4], "mesh/0.1.0");
}
