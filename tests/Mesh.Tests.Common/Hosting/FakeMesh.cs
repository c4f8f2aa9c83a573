using System.Collections.Concurrent;
using System.Net;
using System.Text;
using EventMesh.Identity;
using EventMesh.Messaging;

namespace EventMesh.Tests.Common.Hosting;

/// <summary>A mesh whose peers, answers and failures a test sets.</summary>
public sealed class FakeMesh : IMesh
{
    private int _inFlight;
    private int _sequence;

    public PeerId LocalPeer { get; } = PeerOf(0);

    public IReadOnlyList<PeerInfo> Peers { get; set; } = [];

    public IPEndPoint? ObservedEndPoint => null;

    /// <summary>What was sent.</summary>
    public ConcurrentQueue<(PeerId Peer, OutgoingMessage Message)> Sent { get; } = new();

    /// <summary>The most sends that were under way at a time.</summary>
    public int MostInFlight { get; private set; }

    /// <summary>How a send ends; by default it is acknowledged.</summary>
    public Func<OutgoingMessage, Task<(SendOutcome Outcome, MeshError? Error)>> OnSend { get; set; } =
        _ => Task.FromResult<(SendOutcome, MeshError?)>((SendOutcome.Acknowledged, null));

    /// <summary>How a dial ends.</summary>
    public Func<IPEndPoint, PeerInfo> OnConnect { get; set; } = _ => throw new MeshException(MeshError.Unreachable, "Nobody answered.");

    /// <summary>Who was disconnected.</summary>
    public ConcurrentQueue<PeerId> Disconnected { get; } = new();

    /// <summary>A peer identity that is the same for the same number.</summary>
    public static PeerId PeerOf(byte number)
    {
        byte[] bytes = new byte[PeerId.Length];
        Array.Fill(bytes, number);
        return new PeerId(bytes);
    }

    /// <summary>A joined peer.</summary>
    public static PeerInfo InfoOf(byte number) => new(
        PeerOf(number), PeerKind.Node, new Guid(number, 0, 0, new byte[8]), [new IPEndPoint(IPAddress.Loopback, 4000 + number)],
        new IPEndPoint(IPAddress.Loopback, 5000 + number), "test/1", DateTimeOffset.UnixEpoch);

    public async ValueTask<SendReceipt> SendAsync(PeerId peer, OutgoingMessage message, CancellationToken cancellationToken = default)
    {
        int now = Interlocked.Increment(ref _inFlight);
        lock (Sent) MostInFlight = Math.Max(MostInFlight, now);
        Sent.Enqueue((peer, message));
        (SendOutcome outcome, MeshError? error) = await OnSend(message);
        Interlocked.Decrement(ref _inFlight);
        return new SendReceipt(new MessageId(LocalPeer, Guid.Empty, (ulong)Interlocked.Increment(ref _sequence)), outcome, error, message.Token);
    }

    public Task<ReadOnlyMemory<byte>> RequestWithinAsync(
        PeerId peer, string channel, ReadOnlyMemory<byte> payload, TimeSpan timeout, CancellationToken cancellationToken = default) =>
        RequestAsync(peer, channel, payload, cancellationToken);

    public Task<ReadOnlyMemory<byte>> RequestAsync(PeerId peer, string channel, ReadOnlyMemory<byte> payload, CancellationToken cancellationToken = default) =>
        channel == "nobody"
            ? throw new MeshException(MeshError.NoHandler, "No handler.")
            : Task.FromResult<ReadOnlyMemory<byte>>(Encoding.UTF8.GetBytes($"{channel}:{Encoding.UTF8.GetString(payload.Span)}"));

    public Task<PeerInfo> ConnectAsync(IPEndPoint endpoint, PeerId? expected = null, CancellationToken cancellationToken = default) =>
        Task.FromResult(OnConnect(endpoint));

    public Task DisconnectAsync(PeerId peer, CancellationToken cancellationToken = default)
    {
        Disconnected.Enqueue(peer);
        return Task.CompletedTask;
    }
}
