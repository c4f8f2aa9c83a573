using System.Net;
using EventMesh.Identity;

namespace EventMesh.Transport.InMemory.Internal;

internal sealed class InMemoryEndpoint : ITransportEndpoint
{
    private readonly InMemoryTransport _transport;
    private readonly Lock _mutex = new();
    private readonly HashSet<InMemoryConnection> _connections = [];
    private readonly Queue<InMemoryConnection> _backlog = new();
    private readonly LinkedList<Waiter<ITransportConnection>> _acceptors = new();
    private ulong _dials;
    private volatile bool _isDisposed;

    public InMemoryEndpoint(InMemoryTransport transport, TransportEndpointOptions options)
    {
        _transport = transport;
        Options = options;
        Chain = [options.Certificate.RawDataMemory.ToArray(), .. options.Intermediates.Select(certificate => (ReadOnlyMemory<byte>)certificate.RawDataMemory.ToArray())];
        PeerId = PeerId.FromCertificate(options.Certificate);
    }

    public IPEndPoint LocalEndPoint => Options.LocalEndPoint;

    public ITransport Transport => _transport;

    public InMemoryNetwork Network => _transport.Network;

    public TransportEndpointOptions Options { get; }

    /// <summary>What the handshake shows to peers.</summary>
    public IReadOnlyList<ReadOnlyMemory<byte>> Chain { get; }

    public PeerId PeerId { get; }

    public bool IsDisposed => _isDisposed;

    public Task<ITransportConnection> AcceptAsync(CancellationToken cancellationToken)
    {
        if (!Options.Listen)
            throw new InvalidOperationException("The endpoint does not listen.");
        lock (_mutex)
        {
            if (_isDisposed)
                return Task.FromException<ITransportConnection>(new ObjectDisposedException(nameof(ITransportEndpoint)));
            if (cancellationToken.IsCancellationRequested)
                return Task.FromCanceled<ITransportConnection>(cancellationToken);
            while (_backlog.TryDequeue(out InMemoryConnection? connection))
            {
                if (!connection.HasEnded)
                    return Task.FromResult<ITransportConnection>(connection);
            }
            var waiter = new Waiter<ITransportConnection>(Network.Scheduler);
            _acceptors.AddLast(waiter);
            waiter.CancelledBy(CancelAccept, cancellationToken);
            return waiter.Task;
        }
    }

    public Task<ITransportConnection> ConnectAsync(IPEndPoint remote, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(remote);
        if (cancellationToken.IsCancellationRequested)
            return Task.FromCanceled<ITransportConnection>(cancellationToken);
        IPEndPoint to = Addresses.Normalize(remote);
        IPEndPoint from = Addresses.Source(LocalEndPoint, to);
        InMemoryConnection connection;
        lock (_mutex)
        {
            if (_isDisposed)
                return Task.FromException<ITransportConnection>(new ObjectDisposedException(nameof(ITransportEndpoint)));
            connection = new InMemoryConnection(this, from, to, dialer: null, _dials++);
            _connections.Add(connection);
        }
        return connection.DialAsync(cancellationToken);
    }

    public ValueTask DisposeAsync()
    {
        InMemoryConnection[] connections;
        lock (_mutex)
        {
            if (_isDisposed)
                return ValueTask.CompletedTask;
            _isDisposed = true;
            connections = [.. _connections];
            _backlog.Clear();
            foreach (Waiter<ITransportConnection> waiter in _acceptors)
                waiter.Fail(new ObjectDisposedException(nameof(ITransportEndpoint)));
            _acceptors.Clear();
        }
        foreach (InMemoryConnection connection in connections)
            connection.Close(0);
        Network.Unbind(this);
        return ValueTask.CompletedTask;
    }

    /// <summary>Takes a dialer's first packet; false when nobody listens here.</summary>
    public bool ArriveInitial(Packet packet)
    {
        InMemoryConnection dialer = packet.Sender;
        InMemoryConnection? connection = dialer.Peer;
        if (connection is null)
        {
            lock (_mutex)
            {
                if (_isDisposed || !Options.Listen)
                    return false;
                connection = new InMemoryConnection(this, packet.To, packet.From, dialer, dialer.Number);
                _connections.Add(connection);
            }
        }
        connection.OnInitial(packet);
        return true;
    }

    /// <summary>Hands a connection to whoever accepts; false when the backlog is full.</summary>
    public bool Offer(InMemoryConnection connection)
    {
        lock (_mutex)
        {
            if (_isDisposed)
                return false;
            if (_acceptors.First is { } first)
            {
                _acceptors.RemoveFirst();
                first.Value.Succeed(connection);
                return true;
            }
            if (_backlog.Count >= Options.AcceptBacklog)
                return false;
            _backlog.Enqueue(connection);
            return true;
        }
    }

    public void Remove(InMemoryConnection connection)
    {
        lock (_mutex)
            _connections.Remove(connection);
    }

    private void CancelAccept(Waiter<ITransportConnection> waiter)
    {
        lock (_mutex)
        {
            if (_acceptors.Remove(waiter))
                waiter.Cancel();
        }
    }
}
