using System.Net;
using EventMesh.Identity;

namespace EventMesh.Transport.InMemory.Internal;

/// <summary>One end of a connection. Both ends share one lock, and all state is read and changed under it.</summary>
internal sealed partial class InMemoryConnection : ITransportConnection
{
    private readonly Waiter<TransportCloseInfo> _closed;
    private DeterministicRandom _random;
    private TransportCloseInfo? _end;
    private TransportCloseInfo? _endForPeer;
    private long _bytesSent;
    private long _bytesReceived;
    private long _roundTrip;

    public InMemoryConnection(InMemoryEndpoint endpoint, IPEndPoint local, IPEndPoint remote, InMemoryConnection? dialer, ulong number)
    {
        Endpoint = endpoint;
        LocalEndPoint = local;
        RemoteEndPoint = remote;
        Number = number;
        IsDialer = dialer is null;
        Mutex = dialer?.Mutex ?? new Lock();
        _closed = new Waiter<TransportCloseInfo>(Scheduler);
        _random = new DeterministicRandom(Network.Seed ^ (Addresses.Hash(local) * 3) ^ (Addresses.Hash(remote) * 5) ^ (number * 7919));
        if (dialer is not null)
        {
            Peer = dialer;
            dialer.Peer = this;
        }
    }

    public Lock Mutex { get; }

    public InMemoryEndpoint Endpoint { get; }

    public InMemoryNetwork Network => Endpoint.Network;

    public Scheduler Scheduler => Network.Scheduler;

    /// <summary>The other end; null until the dialer's first packet has arrived.</summary>
    public InMemoryConnection? Peer { get; private set; }

    /// <summary>Which dial of its endpoint it is: part of the seed.</summary>
    public ulong Number { get; }

    public bool HasEnded => Volatile.Read(ref _end) is not null;

    public bool IsDialer { get; }

    public IPEndPoint LocalEndPoint { get; }

    public IPEndPoint RemoteEndPoint { get; }

    public PeerId PeerId => Peer!.Endpoint.PeerId;

    public ReadOnlyMemory<byte> PeerCertificate => Peer!.Endpoint.Chain[0];

    public IReadOnlyList<ReadOnlyMemory<byte>> PeerCertificateChain => Peer!.Endpoint.Chain;

    public Task<TransportCloseInfo> Closed => _closed.Task;

    /// <summary>Why nothing works any more; null while the connection stands.</summary>
    public Failure? Failure => _end is null ? null : Failure.Of(_end);

    private TransportEndpointOptions Options => Endpoint.Options;

    private TransportEndpointOptions PeerOptions => Peer!.Endpoint.Options;

    public Task CloseAsync(ulong code)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(code, 1UL << 62);
        Close(code);
        return Task.CompletedTask;
    }

    public ValueTask DisposeAsync()
    {
        Close(0);
        return ValueTask.CompletedTask;
    }

    public TransportStatistics GetStatistics()
    {
        lock (Mutex)
            return new TransportStatistics(_bytesSent, _bytesReceived, TimeSpan.FromTicks(_roundTrip), 0);
    }

    public void Close(ulong code)
    {
        lock (Mutex)
        {
            End(new TransportCloseInfo(MeshError.Aborted, code, $"This side closed the connection with code {code}."),
                _isHandshaking
                    ? new TransportCloseInfo(MeshError.ClosedByPeer, null, "The peer gave up the handshake.")
                    : new TransportCloseInfo(MeshError.ClosedByPeer, code, $"The peer closed the connection with code {code}."));
        }
    }

    public double NextRandom() => _random.NextDouble();

    /// <summary>Takes a packet; false when it should be sent again because nobody took it.</summary>
    public bool Arrive(Packet packet)
    {
        if (Endpoint.IsDisposed)
            return false;
        switch (packet.Kind)
        {
            case PacketKind.Retry:
                OnRetry();
                return true;
            case PacketKind.ServerHandshake:
                OnServerHandshake(packet);
                return true;
            case PacketKind.ClientHandshake:
                OnClientHandshake(packet);
                return true;
        }
        lock (Mutex)
        {
            if (HasEnded)
            {
                if (packet.Kind != PacketKind.Close && _endForPeer is not null)
                    Send(new Packet(this, PacketKind.Close) { Reason = _endForPeer });
                return packet.Kind == PacketKind.Close;
            }
            CountReceived(packet);
            if (packet.Kind == PacketKind.Close)
                End(packet.Reason!, forPeer: null);
            else if (_isHandshaking)
                _early.Add(packet);
            else
                Process(packet);
            return true;
        }
    }

    public void CountSent(Packet packet, long now)
    {
        _bytesSent += packet.Size;
        // RFC 9000 10.1: sending restarts the timer only once after receiving, or a dead peer would never be noticed.
        if (packet.IsAckEliciting && !_hasSentSinceReceive)
        {
            _hasSentSinceReceive = true;
            _lastActivity = now;
        }
    }

    internal void Send(Packet packet) => packet.Send();

    private void CountReceived(Packet packet)
    {
        long now = Scheduler.Now;
        _bytesReceived += packet.Size;
        _lastActivity = now;
        _lastReceived = now;
        _hasSentSinceReceive = false;
        if (packet.EchoedTime >= 0)
        {
            long sample = now - packet.EchoedTime;
            _roundTrip = _roundTrip == 0 ? sample : ((_roundTrip * 7) + sample) / 8;
        }
    }

    private void Process(Packet packet)
    {
        switch (packet.Kind)
        {
            case PacketKind.Ping:
                Send(new Packet(this, PacketKind.Pong) { EchoedTime = packet.SentAt });
                break;
            case PacketKind.Pong:
                break;
            default:
                ProcessStreamPacket(packet);
                break;
        }
    }

    /// <summary>Ends this end of the connection; the first reason wins.</summary>
    /// <param name="reason">What this side's callers see.</param>
    /// <param name="forPeer">What the peer is told; null for nothing.</param>
    private void End(TransportCloseInfo reason, TransportCloseInfo? forPeer)
    {
        if (HasEnded)
            return;
        Volatile.Write(ref _end, reason);
        _endForPeer = forPeer;
        if (forPeer is not null && Peer is not null)
            Send(new Packet(this, PacketKind.Close) { Reason = forPeer });
        _connecting?.Fail(Failure!.ToException());
        _connecting = null;
        _early.Clear();
        EndStreams(Failure!);
        Endpoint.Remove(this);
        _closed.Succeed(reason);
    }
}
