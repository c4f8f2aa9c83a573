using System.Net;
using EventMesh.Events;
using EventMesh.Identity;

namespace EventMesh.Host.Bench;

/// <summary>The log of a node that peers join and leave: eight events a visit, 150 peers in turn.</summary>
internal static class BenchmarkEvents
{
    private const int Peers = 150;
    private const int PerVisit = 8;

    /// <summary>Events in which each peer visits once.</summary>
    public const int Round = Peers * PerVisit;

    // As long as a node's own.
    private static readonly byte[] Certificate = new byte[440];

    private static readonly (PeerId Peer, IPEndPoint EndPoint)[] Visitors =
    [
        .. Enumerable.Range(0, Peers).Select(i =>
        {
            var id = new byte[PeerId.Length];
            Random generator = new(i);
            generator.NextBytes(id);
            return (new PeerId(id), new IPEndPoint(new IPAddress([192, 0, 2, (byte)i]), 40_000 + i));
        }),
    ];

    /// <summary>The event of a place, from 0.</summary>
    public static IMeshEvent At(int index)
    {
        int visit = index / PerVisit;
        (PeerId peer, IPEndPoint endPoint) = Visitors[visit % Peers];
        return (index % PerVisit) switch
        {
            0 => new ConnectionOpened(Connection(visit, 0), peer, endPoint, ConnectionDirection.Inbound),
            1 => new ConnectionOpened(Connection(visit, 1), peer, endPoint, ConnectionDirection.Outbound),
            2 => new ReverseConnectivityConfirmed(peer, endPoint),
            3 => new PeerJoined(peer, Connection(visit, 2), PeerKind.Node, [endPoint], "EventMesh/0.1.0"),
            4 => visit < Peers
                ? new CacheEntryAdded(peer, [endPoint], Certificate, ConnectionDirection.Inbound)
                : new CacheEntryRefreshed(peer, [endPoint], Certificate),
            5 => Closed(visit, 0, peer),
            6 => Closed(visit, 1, peer),
            _ => new PeerLeft(peer, CloseReason.PeerShutdown),
        };
    }

    /// <summary>The end of all that the cache holds. Nobody answers at these addresses: a node that starts with them dials each before its contacts.</summary>
    public static IEnumerable<IMeshEvent> Evictions => Visitors.Select(visitor => new CacheEntryEvicted(visitor.Peer, EvictionReason.Failures));

    /// <summary>How many of the first <paramref name="count"/> events a projection folds.</summary>
    public static int CountFolded(string projection, int count) => projection switch
    {
        "connection_history" => count / PerVisit * 4,
        "peer_directory" or "mesh_topology" => count / PerVisit * 2,
        // Of these the log of the benchmark has none: no speed to speak of.
        "trust_ledger" or "node_status" => 0,
        _ => count / PerVisit,
    };

    private static ConnectionClosed Closed(int visit, int number, PeerId peer) =>
        new(Connection(visit, number), peer, CloseReason.PeerShutdown, 1000 + visit, 2000 + visit, 3, 4, TimeSpan.FromSeconds(visit % 1000));

    private static Guid Connection(int visit, int number)
    {
        // Spread like random ones, so that an index on it is not kinder than in life.
        var bytes = new byte[16];
        Random generator = new(visit * 4 + number);
        generator.NextBytes(bytes);
        return new Guid(bytes);
    }
}
