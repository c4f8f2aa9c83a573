using EventMesh.Trust;
using EventMesh.Trust.Internal;
using EventMesh.Wire;
using EventMesh.Wire.Frames;
using Google.Protobuf;

namespace EventMesh.Adversary.Fuzzing;

/// <summary>Every decoder that sees a peer's bytes, and the parsers of what people type.</summary>
internal static class FuzzTargets
{
    public static IReadOnlyList<FuzzTarget> All { get; } =
    [
        .. StreamTargets.All,
        Frame("hello", Hello.Parser, Samples.Hellos, hello =>
        {
            if (HelloCheck.FaultOf(hello) is not null) return false;
            _ = new Guid(hello.Instance.Span, bigEndian: true);
            _ = new Guid(hello.LinkId.Span, bigEndian: true);
            foreach (Endpoint endpoint in hello.Listen) Check(endpoint);
            Require(hello.Mesh.Length <= WireLimits.MeshName && hello.Agent.Length <= WireLimits.Agent, "A name is too long.");
            return true;
        }),
        Frame("helloack", HelloAck.Parser, [new HelloAck { Code = 3 }, new HelloAck { Observed = Samples.Endpoint }], ack =>
        {
            _ = ((WireCode)ack.Code).ToMeshError();
            Check(ack.Observed);
            return true;
        }),
        Frame("reversecheck", ReverseCheck.Parser, [new ReverseCheck { Code = 10 }]),
        Frame("ping", Ping.Parser, [new Ping { Nonce = ulong.MaxValue }]),
        Frame("pong", Pong.Parser, [new Pong { Nonce = 1 }]),
        Frame("peersrequest", PeersRequest.Parser, [new PeersRequest { Max = 32 }], request => (int)Math.Min(request.Max, WireLimits.Peers) is >= 0 and <= 32),
        Frame("peers", Peers.Parser, Samples.Exchanges, peers =>
        {
            foreach (PeerRecord record in peers.Peers_)
            {
                if (record.PeerId.Length == Identity.PeerId.Length) _ = new Identity.PeerId(record.PeerId.Span).ToShortString();
                foreach (Endpoint endpoint in record.Endpoints) Check(endpoint);
            }
            return true;
        }),
        Frame("outcome", Outcome.Parser, [new Outcome { Sequence = 7, Code = 19 }]),
        Frame("notice", Notice.Parser, [new Notice { Code = 5 }]),
        Frame("goodbye", Goodbye.Parser, [new Goodbye { Code = 1 }]),
        Frame("kindchanged", KindChanged.Parser, [Samples.KindChanged], changed =>
        {
            foreach (Endpoint endpoint in changed.Listen) Check(endpoint);
            return changed.Kind is Kind.Node or Kind.Client && changed.LinkId.Length == 16;
        }),
        Frame("dialbackrequest", DialBackRequest.Parser, [Samples.DialBack], request => Check(request.Endpoint)),
        Frame("dialbackresult", DialBackResult.Parser, [new DialBackResult { Nonce = Samples.DialBack.Nonce, Code = 20 }]),
        Frame("credit", Credit.Parser, [new Credit { Sequence = 7, Granted = 1 << 20 }]),
        Frame("channelheader", ChannelHeader.Parser, [new ChannelHeader { Channel = "orders", Number = 3 }]),
        Frame("channelack", ChannelAck.Parser, [new ChannelAck { Number = 3, Received = 256 }]),
        Frame("keysuccession", Wire.Frames.KeySuccession.Parser, [Samples.KeySuccession], frame =>
        {
            if (KeySuccessionCodec.FromFrame(frame) is not { } statement) return false;
            Require(!statement.IsValid() || KeySuccessionCodec.ToFrame(statement).Equals(frame), "A valid statement is another one when written again.");
            return true;
        }),
        Frame("endpoint", Endpoint.Parser, [Samples.Endpoint, Samples.Endpoint6], endpoint => Check(endpoint)),
        .. TextTargets.All,
    ];

    /// <summary>A protobuf message: parsed or refused with the one documented error; what was parsed survives being written.</summary>
    private static FuzzTarget Frame<T>(string name, MessageParser<T> parser, IReadOnlyList<T> samples, Func<T, bool>? check = null)
        where T : class, IMessage<T> => new(name, [.. samples.Select(sample => sample.ToByteArray())], input =>
        {
            T frame;
            try
            {
                frame = FrameWriter.Parse(parser, input);
            }
            catch (MeshException e) when (e.Error == MeshError.ProtocolViolation)
            {
                return false;
            }
            byte[] written = frame.ToByteArray();
            Require(frame.Equals(parser.ParseFrom(written)), "It is another frame when written and read again.");
            Require(written.Length <= input.Length * 3, "It has grown.");
            return check?.Invoke(frame) ?? true;
        });

    /// <summary>An endpoint is refused, or can be used and compared with others.</summary>
    internal static bool Check(Endpoint? frame)
    {
        if (EndpointCodec.FromFrame(frame) is not { } endpoint) return false;
        Require(endpoint.Port > 0 && !endpoint.Address.IsIPv4MappedToIPv6, "An endpoint that nobody can dial.");
        _ = AddressScope.IsShared(endpoint.Address, System.Net.IPAddress.Loopback);
        Require(AddressPrefix.SourceOf(endpoint.Address).Contains(endpoint.Address), "An address is not of its own source.");
        Require(Equals(EndpointCodec.FromFrame(EndpointCodec.ToFrame(endpoint)), endpoint), "It is another endpoint when written and read again.");
        return true;
    }

    internal static void Require(bool condition, string otherwise)
    {
        if (!condition) throw new InvalidOperationException(otherwise);
    }
}
