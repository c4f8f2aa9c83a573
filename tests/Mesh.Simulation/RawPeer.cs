using System.Buffers;
using System.Collections.Concurrent;
using System.Net;
using System.Security.Cryptography.X509Certificates;
using EventMesh.Tests;
using EventMesh.Tests.Common.Nodes;
using EventMesh.Transport;
using EventMesh.Transport.InMemory;
using EventMesh.Wire;
using EventMesh.Wire.Frames;
using Google.Protobuf;

namespace EventMesh.Simulation;

/// <summary>A peer that speaks the protocol by hand, so that it can speak it badly.</summary>
internal sealed class RawPeer : IAsyncDisposable
{
    private readonly X509Certificate2 _certificate;
    private readonly ITransportEndpoint _endpoint;
    private ITransportStream? _control;

    private RawPeer(X509Certificate2 certificate, ITransportEndpoint endpoint)
    {
        _certificate = certificate;
        _endpoint = endpoint;
    }

    public ITransportConnection Connection { get; private set; } = null!;

    /// <summary>The control frames that the node has sent, unless they are not read.</summary>
    public ConcurrentQueue<Frame> Frames { get; } = [];

    public IPEndPoint EndPoint => _endpoint.LocalEndPoint;

    public static async Task<RawPeer> BindAsync(InMemoryNetwork network, string address)
    {
        X509Certificate2 certificate = TestCertificates.Create();
        ITransportEndpoint endpoint = await new InMemoryTransport(network).BindAsync(
            new TransportEndpointOptions { LocalEndPoint = IPEndPoint.Parse($"{address}:0"), Certificate = certificate, VerifyPeer = _ => true },
            CancellationToken.None).ConfigureAwait(false);
        return new RawPeer(certificate, endpoint);
    }

    /// <summary>Dials a node and joins it, as far as this side goes.</summary>
    public async Task JoinAsync(TestNode node, Kind kind = Kind.Client, bool readsControl = true)
    {
        Connection = await _endpoint.ConnectAsync(node.EndPoint, CancellationToken.None).ConfigureAwait(false);
        await SayHelloAsync(kind).ConfigureAwait(false);
        await ReadControlAsync(readsControl).ConfigureAwait(false);
        await SendAsync(FrameType.HelloAck, new HelloAck()).ConfigureAwait(false);
    }

    /// <summary>Takes a node's dial and accepts it.</summary>
    public async Task AcceptAsync()
    {
        Connection = await _endpoint.AcceptAsync(CancellationToken.None).ConfigureAwait(false);
        _control = null;
        await SayHelloAsync(Kind.Node).ConfigureAwait(false);
        await SendAsync(FrameType.HelloAck, new HelloAck()).ConfigureAwait(false);
    }

    /// <summary>Takes a node's dial and closes it.</summary>
    public async Task RefuseAsync(WireCode code)
    {
        ITransportConnection connection = await _endpoint.AcceptAsync(CancellationToken.None).ConfigureAwait(false);
        await connection.CloseAsync((ulong)code).ConfigureAwait(false);
        await connection.DisposeAsync().ConfigureAwait(false);
    }

    public async Task SendAsync(FrameType type, IMessage body)
    {
        var output = new ArrayBufferWriter<byte>();
        if (_control is null)
        {
            _control = await Connection.OpenStreamAsync(StreamDirection.Unidirectional, CancellationToken.None).ConfigureAwait(false);
            FrameWriter.WriteVarInt(output, (ulong)StreamType.Control);
        }
        FrameWriter.Write(output, type, body);
        await _control.WriteAsync(output.WrittenMemory, endStream: false, CancellationToken.None).ConfigureAwait(false);
    }

    /// <summary>Opens a stream of messages and writes so many of them.</summary>
    public async Task SendMessagesAsync(int count, ulong from, bool wantsOutcome)
    {
        ITransportStream stream = await Connection.OpenStreamAsync(StreamDirection.Unidirectional, CancellationToken.None).ConfigureAwait(false);
        var output = new ArrayBufferWriter<byte>();
        FrameWriter.WriteVarInt(output, (ulong)StreamType.Messages);
        for (int i = 0; i < count; i++)
        {
            FrameWriter.Write(
                output, FrameType.Message, new MessageHeader { Sequence = from + (ulong)i, Channel = "x", WantsOutcome = wantsOutcome }, ReadOnlySpan<byte>.Empty);
        }
        await stream.WriteAsync(output.WrittenMemory, endStream: true, CancellationToken.None).ConfigureAwait(false);
    }

    /// <summary>Announces a large message and writes a part of it.</summary>
    public async Task SendPartOfLargeAsync(int announced, int written)
    {
        ITransportStream stream = await Connection.OpenStreamAsync(StreamDirection.Unidirectional, CancellationToken.None).ConfigureAwait(false);
        var output = new ArrayBufferWriter<byte>();
        FrameWriter.WriteVarInt(output, (ulong)StreamType.LargeMessage);
        FrameWriter.WriteHead(output, FrameType.Message, new MessageHeader { Sequence = 1, Channel = "x" }, announced);
        await stream.WriteAsync(output.WrittenMemory, endStream: false, CancellationToken.None).ConfigureAwait(false);
        for (int left = written; left > 0; left -= 64 * 1024)
            await stream.WriteAsync(new byte[Math.Min(left, 64 * 1024)], endStream: false, CancellationToken.None).ConfigureAwait(false);
    }

    public async ValueTask DisposeAsync()
    {
        await _endpoint.DisposeAsync().ConfigureAwait(false);
        _certificate.Dispose();
    }

    private Task SayHelloAsync(Kind kind)
    {
        var hello = new Hello
        {
            Mesh = "default",
            Kind = kind,
            Agent = "raw",
            MaxMessage = 1 << 20,
            Instance = ByteString.CopyFrom(Guid.NewGuid().ToByteArray()),
            LinkId = ByteString.CopyFrom(Guid.NewGuid().ToByteArray()),
        };
        // A port where nobody answers.
        if (kind == Kind.Node) hello.Listen.Add(EndpointCodec.ToFrame(new IPEndPoint(EndPoint.Address, 9)));
        return SendAsync(FrameType.Hello, hello);
    }

    /// <summary>Waits for the node's verdict; then its control stream is read on, or not at all.</summary>
    private async Task ReadControlAsync(bool readsOn)
    {
        ITransportStream stream = await Connection.AcceptStreamAsync(CancellationToken.None).ConfigureAwait(false);
        var reader = new FrameReader(stream);
        await reader.ReadVarIntAsync(CancellationToken.None).ConfigureAwait(false);
        FrameType? seen = null;
        while (seen != FrameType.HelloAck) seen = (await reader.ReadFrameAsync(WireLimits.ControlFrame, CancellationToken.None).ConfigureAwait(false))?.Type;
        if (readsOn) _ = ReadOnAsync(reader);
    }

    private async Task ReadOnAsync(FrameReader reader)
    {
        try
        {
            while (await reader.ReadFrameAsync(WireLimits.ControlFrame, CancellationToken.None).ConfigureAwait(false) is { } frame)
                Frames.Enqueue(new Frame(frame.Type, frame.Body.ToArray()));
        }
        catch (MeshException)
        {
            // The connection has ended.
        }
    }
}
