using System.Net;
using System.Security.Cryptography;
using System.Threading.Channels;
using EventMesh.Dispatch;
using EventMesh.Events;
using EventMesh.Identity;
using EventMesh.Messaging;
using EventMesh.Notifications;

namespace EventMesh.Tests.Common;

/// <summary>A node without a network: what it sends goes to the dispatcher of the fake that it was joined with.</summary>
public sealed class FakeMesh(FakeJournal? journal = null) : IMesh
{
    private readonly Lock _mutex = new();
    private readonly Dictionary<PeerId, (FakeMesh Mesh, PeerInfo Info)> _peers = [];
    private readonly Guid _instance = Guid.CreateVersion7();
    private readonly Channel<(PeerId To, OutgoingMessage Message)> _sent = Channel.CreateBounded<(PeerId, OutgoingMessage)>(65_536);
    private long _sequence;

    /// <summary>The node's log.</summary>
    public FakeJournal Journal { get; } = journal ?? new FakeJournal();

    /// <summary>Where arriving messages go; without one they are refused with <see cref="MeshError.NoHandler"/>.</summary>
    public IMessageDispatcher? Dispatcher { get; set; }

    public PeerId LocalPeer { get; } = new(RandomNumberGenerator.GetBytes(PeerId.Length));

    public IReadOnlyList<PeerInfo> Peers
    {
        get
        {
            lock (_mutex)
                return [.. _peers.Values.Select(peer => peer.Info)];
        }
    }

    public IPEndPoint? ObservedEndPoint => null;

    /// <summary>What was sent, in order, to whomever.</summary>
    public ChannelReader<(PeerId To, OutgoingMessage Message)> Sent => _sent.Reader;

    /// <summary>Joins two nodes: their logs say so and their handlers are told.</summary>
    public static void Join(FakeMesh one, FakeMesh other)
    {
        one.Add(other);
        other.Add(one);
        one.Announce(other);
        other.Announce(one);
    }

    /// <summary>Parts two joined nodes.</summary>
    public static void Part(FakeMesh one, FakeMesh other)
    {
        one.Remove(other);
        other.Remove(one);
    }

    public async ValueTask<SendReceipt> SendAsync(PeerId peer, OutgoingMessage message, CancellationToken cancellationToken = default)
    {
        var id = new MessageId(LocalPeer, _instance, (ulong)Interlocked.Increment(ref _sequence));
        await _sent.Writer.WriteAsync((peer, message), cancellationToken);
        if (Find(peer) is not { } target)
            return new(id, SendOutcome.NotSent, MeshError.NotConnected, message.Token);
        if (target.Dispatcher is not { } dispatcher)
            return new(id, SendOutcome.Refused, MeshError.NoHandler, message.Token);
        Task<MeshError?> handled = dispatcher.DispatchAsync(new MessageReceived(id, LocalPeer, message.Channel, message.Payload), default);
        if (message.Delivery == DeliveryMode.Acknowledged)
            return new(id, SendOutcome.Acknowledged, null, message.Token);
        MeshError? error = await handled.WaitAsync(cancellationToken);
        return new(id, error is null ? SendOutcome.Handled : SendOutcome.Refused, error, message.Token);
    }

    public Task<ReadOnlyMemory<byte>> RequestWithinAsync(
        PeerId peer, string channel, ReadOnlyMemory<byte> payload, TimeSpan timeout, CancellationToken cancellationToken = default) =>
        RequestAsync(peer, channel, payload, cancellationToken);

    public async Task<ReadOnlyMemory<byte>> RequestAsync(
        PeerId peer, string channel, ReadOnlyMemory<byte> payload, CancellationToken cancellationToken = default)
    {
        FakeMesh target = Find(peer) ?? throw new MeshException(MeshError.NotConnected, "The peer is not joined.");
        return target.Dispatcher is { } dispatcher
            ? await dispatcher.DispatchAsync(new RemoteRequest(LocalPeer, channel, payload), default, cancellationToken)
            : throw new MeshException(MeshError.NoHandler, "The peer has no handlers.");
    }

    public Task<PeerInfo> ConnectAsync(IPEndPoint endpoint, PeerId? expected = null, CancellationToken cancellationToken = default) =>
        expected is { } peer && Find(peer) is not null
            ? Task.FromResult(Peers.First(info => info.Peer == peer))
            : Task.FromException<PeerInfo>(new MeshException(MeshError.Unreachable, "Nodes without a network can't be dialled."));

    public Task DisconnectAsync(PeerId peer, CancellationToken cancellationToken = default)
    {
        if (Find(peer) is { } target)
            Part(this, target);
        return Task.CompletedTask;
    }

    private FakeMesh? Find(PeerId peer)
    {
        lock (_mutex)
            return _peers.TryGetValue(peer, out (FakeMesh Mesh, PeerInfo Info) found) ? found.Mesh : null;
    }

    private void Add(FakeMesh other)
    {
        var remote = new IPEndPoint(IPAddress.Loopback, 1);
        var info = new PeerInfo(other.LocalPeer, PeerKind.Node, other._instance, [remote], remote, "fake", DateTimeOffset.UnixEpoch);
        lock (_mutex)
            _peers[other.LocalPeer] = (other, info);
    }

    private void Announce(FakeMesh other)
    {
        PeerInfo info = Peers.First(peer => peer.Peer == other.LocalPeer);
        RecordedEvent cause = Journal.Record(new Events.PeerJoined(info.Peer, info.Instance, info.Kind, info.Endpoints, info.Agent));
        Dispatcher?.Publish(new Notifications.PeerJoined(info, cause, Journal.IsDurable(cause)));
    }

    private void Remove(FakeMesh other)
    {
        lock (_mutex)
        {
            if (!_peers.Remove(other.LocalPeer))
                return;
        }

        RecordedEvent cause = Journal.Record(new Events.PeerLeft(other.LocalPeer, CloseReason.Local));
        Dispatcher?.Publish(new Notifications.PeerLeft(other.LocalPeer, CloseReason.Local, cause, Journal.IsDurable(cause)));
    }
}
