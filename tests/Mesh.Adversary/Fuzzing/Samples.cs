using System.Net;
using EventMesh.Adversary.Support;
using EventMesh.Identity;
using EventMesh.Wire;
using EventMesh.Wire.Frames;
using Google.Protobuf;

namespace EventMesh.Adversary.Fuzzing;

/// <summary>Frames as nodes send them.</summary>
internal static class Samples
{
    public static Endpoint Endpoint { get; } = EndpointCodec.ToFrame(new IPEndPoint(IPAddress.Parse("192.0.2.7"), 4433));

    public static Endpoint Endpoint6 { get; } = EndpointCodec.ToFrame(new IPEndPoint(IPAddress.Parse("2001:db8::7"), 65_535));

    public static IReadOnlyList<Hello> Hellos { get; } = [MakeHello(0), MakeHello(8)];

    public static IReadOnlyList<Peers> Exchanges { get; } = [new Peers(), MakePeers(1), MakePeers(WireLimits.Peers)];

    public static MessageHeader Header { get; } = new()
    {
        Sequence = 99,
        Channel = "orders",
        Traceparent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
        Tracestate = "rojo=00f067aa0ba902b7",
        WantsOutcome = true,
    };

    public static KindChanged KindChanged { get; } = new()
    {
        Kind = Kind.Node,
        Listen = { Endpoint, Endpoint6 },
        LinkId = HandDrivenConnection.Bytes(new Guid(12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22)),
    };

    public static DialBackRequest DialBack { get; } = new()
    {
        Nonce = HandDrivenConnection.Bytes(new Guid(1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11)),
        Endpoint = Endpoint,
    };

    // Of the right sizes; signatures would not be the same in each run, and inputs could not be replayed.
    public static KeySuccession KeySuccession { get; } = new()
    {
        Predecessor = ByteString.CopyFrom([.. Enumerable.Repeat((byte)0x30, 91)]),
        Successor = ByteString.CopyFrom([.. Enumerable.Repeat((byte)0x31, 91)]),
        Sequence = 1,
        Time = 1_800_000_000_000,
        PredecessorSignature = ByteString.CopyFrom(new byte[64]),
        SuccessorSignature = ByteString.CopyFrom(new byte[64]),
    };

    private static Hello MakeHello(int endpoints)
    {
        var hello = new Hello
        {
            Mesh = "default",
            Kind = endpoints == 0 ? Kind.Client : Kind.Node,
            Agent = "EventMesh/0.1.0",
            DnsName = endpoints == 0 ? "" : "node.example.org",
            Features = 5,
            MaxMessage = 16 * 1024 * 1024,
            Instance = HandDrivenConnection.Bytes(new Guid(1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11)),
            LinkId = HandDrivenConnection.Bytes(new Guid(12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22)),
            Reverse = endpoints > 0,
        };
        for (int i = 0; i < endpoints; i++) hello.Listen.Add(i % 2 == 0 ? Endpoint : Endpoint6);
        return hello;
    }

    private static Peers MakePeers(int count)
    {
        var peers = new Peers();
        for (int i = 0; i < count; i++)
        {
            var record = new PeerRecord { PeerId = ByteString.CopyFrom(PeerId.FromPublicKey([(byte)i]).ToByteArray()) };
            record.Endpoints.Add([Endpoint, Endpoint6]);
            peers.Peers_.Add(record);
        }
        return peers;
    }
}
