using System.Buffers;
using System.Collections.Concurrent;
using System.Threading.Channels;
using EventMesh.Transport;
using EventMesh.Wire;
using EventMesh.Wire.Frames;
using Google.Protobuf;
using Shouldly;

namespace EventMesh.Adversary.Support;

/// <summary>A connection whose every byte the test chooses.</summary>
internal sealed class HandDrivenConnection : IAsyncDisposable
{
    private readonly Channel<(FrameType Type, byte[] Body)> _control = Channel.CreateBounded<(FrameType, byte[])>(65_536);
    private readonly Guid _instance;
    private readonly Task _reading;
    private ITransportStream? _controlStream;

    public HandDrivenConnection(ITransportConnection transport, Guid instance, bool reads)
    {
        Transport = transport;
        _instance = instance;
        _reading = reads ? ReadStreamsAsync() : Task.CompletedTask;
    }

    public ITransportConnection Transport { get; }

    public Guid LinkId { get; } = Guid.NewGuid();

    /// <summary>A Hello that is right in every way.</summary>
    public Hello Hello(Kind kind = Kind.Client)
    {
        var hello = new Hello
        {
            Mesh = "default",
            Kind = kind,
            Agent = "attacker",
            MaxMessage = 16 * 1024 * 1024,
            Instance = Bytes(_instance),
            LinkId = Bytes(LinkId),
        };
        if (kind == Kind.Node) hello.Listen.Add(EndpointCodec.ToFrame(Transport.LocalEndPoint));
        return hello;
    }

    public static ByteString Bytes(Guid value) => ByteString.CopyFrom(value.ToByteArray(bigEndian: true));

    /// <summary>Joins as a client does.</summary>
    public async Task JoinAsync(Hello? hello = null)
    {
        await SendAsync(FrameType.Hello, hello ?? Hello());
        (FrameType type, byte[] body) = await NextAsync();
        bool isGreeted = type == FrameType.Hello;
        if (isGreeted) (type, body) = await NextAsync();
        type.ShouldBe(FrameType.HelloAck);
        HelloAck ack = HelloAck.Parser.ParseFrom(body);
        if (ack.Code != 0) throw new InvalidOperationException($"The victim refused the peer with {(WireCode)ack.Code}.");
        isGreeted.ShouldBeTrue("only a refusal comes without a Hello before it");
        await SendAsync(FrameType.HelloAck, new HelloAck());
    }

    /// <summary>Sends a frame on the control stream, which begins with the first.</summary>
    public Task SendAsync(FrameType type, IMessage body)
    {
        var output = new ArrayBufferWriter<byte>();
        FrameWriter.Write(output, type, body);
        return SendRawAsync(output.WrittenSpan.ToArray());
    }

    /// <summary>Sends bytes on the control stream, which begins with the first.</summary>
    public async Task SendRawAsync(ReadOnlyMemory<byte> bytes, bool end = false)
    {
        _controlStream ??= await OpenAsync(StreamDirection.Unidirectional, new[] { (byte)StreamType.Control });
        await WriteAsync(_controlStream, bytes, end);
    }

    public void ResetControl() => _controlStream!.Reset(0);

    /// <summary>Opens a stream and writes its first bytes, if any.</summary>
    public async Task<ITransportStream> OpenAsync(StreamDirection direction, ReadOnlyMemory<byte> first, bool end = false)
    {
        ITransportStream stream = await Transport.OpenStreamAsync(direction, CancellationToken.None).AsTask().WaitAsync(AttackRun.Limit);
        if (!first.IsEmpty || end) await WriteAsync(stream, first, end);
        return stream;
    }

    public static Task WriteAsync(ITransportStream stream, ReadOnlyMemory<byte> bytes, bool end = false) =>
        stream.WriteAsync(bytes, end, CancellationToken.None).AsTask().WaitAsync(AttackRun.Limit);

    /// <summary>The next frame on the victim's control stream.</summary>
    public async Task<(FrameType Type, byte[] Body)> NextAsync() =>
        await _control.Reader.ReadAsync(CancellationToken.None).AsTask().WaitAsync(AttackRun.Limit);

    /// <summary>Skips frames of other types.</summary>
    public async Task<T> NextAsync<T>(FrameType wanted, MessageParser<T> parser)
        where T : IMessage<T>
    {
        while (true)
        {
            (FrameType type, byte[] body) = await NextAsync();
            if (type == wanted) return parser.ParseFrom(body);
        }
    }

    /// <summary>The types of all frames that the victim has sent on its control stream.</summary>
    public ConcurrentQueue<FrameType> Seen { get; } = [];

    /// <summary>The code with which the victim closes the connection, or null when it ends in another way.</summary>
    public async Task<WireCode?> ClosedWithAsync()
    {
        TransportCloseInfo info = await Transport.Closed.WaitAsync(AttackRun.Limit);
        return info is { Error: MeshError.ClosedByPeer, ApplicationCode: { } code } ? (WireCode)code : null;
    }

    public Task CloseAsync(WireCode code = WireCode.None) => Transport.CloseAsync((ulong)code);

    public async ValueTask DisposeAsync()
    {
        await Transport.DisposeAsync();
        await _reading;
    }

    private async Task ReadStreamsAsync()
    {
        List<Task> readers = [];
        try
        {
            while (true)
            {
                ITransportStream stream = await Transport.AcceptStreamAsync(CancellationToken.None);
                readers.RemoveAll(reader => reader.IsCompleted);
                readers.Add(ReadStreamAsync(stream));
            }
        }
        catch (Exception e) when (e is MeshException or ObjectDisposedException)
        {
            // The connection has ended.
        }
        await Task.WhenAll(readers);
        _control.Writer.TryComplete();
    }

    private async Task ReadStreamAsync(ITransportStream stream)
    {
        await using ITransportStream own = stream;
        using var reader = new FrameReader(stream);
        try
        {
            bool isControl = await reader.ReadVarIntAsync(CancellationToken.None) == (ulong)StreamType.Control;
            while (await reader.ReadFrameAsync(64 * 1024 * 1024, CancellationToken.None) is { } frame)
            {
                if (!isControl) continue;
                Seen.Enqueue(frame.Type);
                _control.Writer.TryWrite((frame.Type, frame.Body.ToArray()));
            }
        }
        catch (Exception e) when (e is MeshException or ObjectDisposedException)
        {
            // The stream or the connection has ended.
        }
    }
}
