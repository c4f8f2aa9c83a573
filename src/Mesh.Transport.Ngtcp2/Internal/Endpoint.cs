using System.Net;

namespace EventMesh.Transport.Ngtcp2.Internal;

/// <summary>A bound endpoint: the application's face of the <see cref="EventLoop"/>.</summary>
internal sealed class Endpoint : ITransportEndpoint
{
    private readonly EventLoop _loop;
    private readonly System.Net.Sockets.AddressFamily _family;
    private int _disposed;

    public Endpoint(ITransport transport, EventLoop loop, System.Net.Sockets.AddressFamily family)
    {
        Transport = transport;
        _loop = loop;
        _family = family;
    }

    public IPEndPoint LocalEndPoint => _loop.LocalEndPoint;

    public ITransport Transport { get; }

    /// <summary>For tests and measurements.</summary>
    internal EventLoop Loop => _loop;

    public async Task<ITransportConnection> AcceptAsync(CancellationToken cancellationToken)
    {
        if (!_loop.Settings.Listen)
            throw new InvalidOperationException("The endpoint does not listen.");
        return await _loop.Accepted.TakeAsync(cancellationToken).ConfigureAwait(false);
    }

    public async Task<ITransportConnection> ConnectAsync(IPEndPoint remote, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(remote);
        ObjectDisposedException.ThrowIf(Volatile.Read(ref _disposed) != 0, this);
        cancellationToken.ThrowIfCancellationRequested();
        if (remote.Port == 0)
            throw new MeshException(MeshError.Unreachable, $"{remote} names no port.");
        IPEndPoint target = NativeAddress.ForFamily(remote, _family)
            ?? throw new MeshException(MeshError.Unreachable, $"{remote} can't be dialled from {LocalEndPoint}: the endpoint is bound to IPv4 only.");
        var connection = new Connection(_loop, isDialer: true, target);
        // Before the loop hears of it, which may have ended the handshake by the time that this thread goes on.
        using (cancellationToken.UnsafeRegister(static (state, token) => ((Connection)state!).CancelDial(token), connection))
        {
            _loop.Post(new DialWork(connection));
            return await connection.Dialled.ConfigureAwait(false);
        }
    }

    public async ValueTask DisposeAsync()
    {
        Volatile.Write(ref _disposed, 1);
        await _loop.DisposeAsync().ConfigureAwait(false);
    }

    private sealed class DialWork(Connection connection) : ILoopWork
    {
        public void Run() => connection.Dial();
    }
}
