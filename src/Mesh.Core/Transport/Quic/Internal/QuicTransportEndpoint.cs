using System.Net;
using System.Net.Quic;
using System.Net.Security;
using System.Net.Sockets;
using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.Versioning;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;

namespace EventMesh.Transport.Quic.Internal;

/// <summary>
/// A listener, and dials from ports of their own: libmsquic can't dial from the port that it listens on (dotnet/runtime#77664).
/// </summary>
/// <remarks>
/// The socket of a listener on one address is bound to [::] all the same; the library drops what came to other addresses. So the
/// wanted address is first tried with a plain socket, which finds addresses that are taken or not ours.
/// </remarks>
[SupportedOSPlatform("linux")]
[SupportedOSPlatform("macos")]
[SupportedOSPlatform("windows")]
internal sealed class QuicTransportEndpoint : ITransportEndpoint
{
    // RFC 9000 16: stream counts are larger, but the library takes 16 bits.
    private const int MaxStreams = ushort.MaxValue;

    private readonly QuicTransport _transport;
    private readonly TransportEndpointOptions _options;
    private readonly SslStreamCertificateContext _certificate;
    private readonly ConditionalWeakTable<QuicConnection, QuicPeer> _inbound = [];
    private readonly HashSet<QuicTransportConnection> _connections = [];
    private readonly CancellationTokenSource _disposing = new();
    private readonly Lock _mutex = new();
    private QuicListener? _listener;
    private Socket? _reservation;
    private Task? _disposal;

    private QuicTransportEndpoint(QuicTransport transport, TransportEndpointOptions options)
    {
        _transport = transport;
        _options = options;
        LocalEndPoint = QuicAddresses.Normalize(options.LocalEndPoint);
        // Offline: our own chain is completed from local stores and never by a download.
        _certificate = SslStreamCertificateContext.Create(options.Certificate, [.. options.Intermediates], offline: true);
    }

    public IPEndPoint LocalEndPoint { get; private set; }

    public ITransport Transport => _transport;

    public static async Task<ITransportEndpoint> BindAsync(QuicTransport transport, TransportEndpointOptions options, CancellationToken cancellationToken)
    {
        var endpoint = new QuicTransportEndpoint(transport, options);
        var socket = new Socket(endpoint.LocalEndPoint.AddressFamily, SocketType.Dgram, ProtocolType.Udp);
        try
        {
            socket.Bind(endpoint.LocalEndPoint);
            if (options.Listen)
            {
                socket.Dispose();
                await endpoint.ListenAsync(cancellationToken).ConfigureAwait(false);
            }
            else
            {
                // Nothing is ever read from it: it keeps the port that the endpoint says it has.
                endpoint._reservation = socket;
                endpoint.LocalEndPoint = (IPEndPoint)socket.LocalEndPoint!;
            }
            return endpoint;
        }
        catch
        {
            socket.Dispose();
            endpoint._disposing.Dispose();
            throw;
        }
    }

    public async Task<ITransportConnection> AcceptAsync(CancellationToken cancellationToken)
    {
        if (_listener is null)
            throw new InvalidOperationException("The endpoint does not listen.");
        while (true)
        {
            ObjectDisposedException.ThrowIf(_disposing.IsCancellationRequested, typeof(ITransportEndpoint));
            QuicConnection inner;
            try
            {
                inner = await _listener.AcceptConnectionAsync(cancellationToken).ConfigureAwait(false);
            }
            catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
            {
                throw;
            }
            catch (Exception exception) when (_disposing.IsCancellationRequested)
            {
                throw new ObjectDisposedException("The endpoint was disposed.", exception);
            }
            catch (Exception exception) when (exception is AuthenticationException or QuicException or OperationCanceledException)
            {
                // A stranger whose handshake failed must not stop the listener.
                Log.InboundHandshakeFailed(_transport.Logger, LocalEndPoint, exception.Message);
                continue;
            }
            if (!_inbound.TryGetValue(inner, out QuicPeer? peer))
            {
                await inner.DisposeAsync().ConfigureAwait(false);
                continue;
            }
            _inbound.Remove(inner);
            return await AddAsync(inner, peer, isDialer: false).ConfigureAwait(false);
        }
    }

    public async Task<ITransportConnection> ConnectAsync(IPEndPoint remote, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(remote);
        ObjectDisposedException.ThrowIf(_disposing.IsCancellationRequested, typeof(ITransportEndpoint));
        cancellationToken.ThrowIfCancellationRequested();
        IPEndPoint to = QuicAddresses.Normalize(remote);
        var peer = new QuicPeer(_options, _transport.Logger, isDialer: true, to);
        var options = new QuicClientConnectionOptions
        {
            RemoteEndPoint = to,
            LocalEndPoint = QuicAddresses.IsWildcard(LocalEndPoint.Address) || LocalEndPoint.AddressFamily != to.AddressFamily
                ? null : new IPEndPoint(LocalEndPoint.Address, 0),
            ClientAuthenticationOptions = new SslClientAuthenticationOptions
            {
                ApplicationProtocols = [new SslApplicationProtocol(_options.ApplicationProtocol)],
                ClientCertificateContext = _certificate,
                CertificateChainPolicy = NoDownloads(),
                RemoteCertificateValidationCallback = peer.Verify,
            },
        };
        Configure(options, peer);
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, _disposing.Token);
        QuicConnection inner;
        try
        {
            inner = await QuicConnection.ConnectAsync(options, stop.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException)
        {
            cancellationToken.ThrowIfCancellationRequested();
            throw new MeshException(MeshError.Aborted, "The endpoint was disposed while it dialled.");
        }
        catch (Exception exception)
        {
            throw exception.ToDialException();
        }
        return await AddAsync(inner, peer, isDialer: true).ConfigureAwait(false);
    }

    public ValueTask DisposeAsync()
    {
        lock (_mutex)
        {
            _disposal ??= DisposeCoreAsync();
            return new ValueTask(_disposal);
        }
    }

    public void Remove(QuicTransportConnection connection)
    {
        lock (_mutex)
            _connections.Remove(connection);
    }

    private async Task ListenAsync(CancellationToken cancellationToken)
    {
        if (_options.Retry == RetryMode.Always)
            MsQuicLibrary.RequireRetry();
        try
        {
            _listener = await QuicListener.ListenAsync(new QuicListenerOptions
            {
                ListenEndPoint = LocalEndPoint,
                ApplicationProtocols = [new SslApplicationProtocol(_options.ApplicationProtocol)],
                ListenBacklog = _options.AcceptBacklog,
                ConnectionOptionsCallback = (connection, _, _) => ValueTask.FromResult(ServerOptions(connection)),
            }, cancellationToken).ConfigureAwait(false);
        }
        catch
        {
            if (_options.Retry == RetryMode.Always)
                MsQuicLibrary.LeaveRetry();
            throw;
        }
        LocalEndPoint = new IPEndPoint(LocalEndPoint.Address, _listener.LocalEndPoint.Port);
    }

    private QuicServerConnectionOptions ServerOptions(QuicConnection connection)
    {
        // Called with the dialer's first flight. What it throws refuses the connection and comes out of the accept loop as a QuicException.
        if (_options.AdmitSource?.Invoke(QuicAddresses.Normalize(connection.RemoteEndPoint).Address) == false)
            throw new MeshException(MeshError.Blocked, "The address is not admitted.");
        var peer = new QuicPeer(_options, _transport.Logger, isDialer: false, remote: null);
        _inbound.Add(connection, peer);
        var options = new QuicServerConnectionOptions
        {
            ServerAuthenticationOptions = new SslServerAuthenticationOptions
            {
                ApplicationProtocols = [new SslApplicationProtocol(_options.ApplicationProtocol)],
                ServerCertificateContext = _certificate,
                ClientCertificateRequired = true,
                CertificateChainPolicy = NoDownloads(),
                RemoteCertificateValidationCallback = peer.Verify,
            },
        };
        Configure(options, peer);
        return options;
    }

    private void Configure(QuicConnectionOptions options, QuicPeer peer)
    {
        int window = PowerOfTwo(_options.StreamWindow);
        options.DefaultCloseErrorCode = 0;
        options.DefaultStreamErrorCode = 0;
        options.IdleTimeout = _options.IdleTimeout;
        // Zero is never for us and the library's own choice for the runtime.
        options.KeepAliveInterval = _options.KeepAliveInterval > TimeSpan.Zero ? _options.KeepAliveInterval : Timeout.InfiniteTimeSpan;
        options.HandshakeTimeout = _options.HandshakeTimeout;
        options.MaxInboundBidirectionalStreams = Math.Min(_options.MaxInboundStreams, MaxStreams);
        options.MaxInboundUnidirectionalStreams = Math.Min(_options.MaxInboundStreams, MaxStreams);
        options.InitialReceiveWindowSizes = new QuicReceiveWindowSizes
        {
            Connection = PowerOfTwo(_options.ConnectionWindow),
            LocallyInitiatedBidirectionalStream = window,
            RemotelyInitiatedBidirectionalStream = window,
            UnidirectionalStream = window,
        };
        options.StreamCapacityCallback = peer.OnCapacityChanged;
    }

    private async Task<ITransportConnection> AddAsync(QuicConnection inner, QuicPeer peer, bool isDialer)
    {
        var connection = new QuicTransportConnection(this, inner, peer, isDialer, _options.MaxInboundStreams);
        bool isLate;
        lock (_mutex)
        {
            isLate = _disposal is not null;
            if (!isLate)
                _connections.Add(connection);
        }
        if (isLate)
        {
            await connection.DisposeAsync().ConfigureAwait(false);
            ObjectDisposedException.ThrowIf(true, typeof(ITransportEndpoint));
        }
        return connection;
    }

    private async Task DisposeCoreAsync()
    {
        // Leaves the caller's lock first.
        await Task.Yield();
        await _disposing.CancelAsync().ConfigureAwait(false);
        QuicTransportConnection[] connections;
        lock (_mutex)
            connections = [.. _connections];
        await Task.WhenAll(connections.Select(connection => connection.DisposeAsync().AsTask())).ConfigureAwait(false);
        if (_listener is not null)
        {
            await _listener.DisposeAsync().ConfigureAwait(false);
            if (_options.Retry == RetryMode.Always)
                MsQuicLibrary.LeaveRetry();
        }
        _reservation?.Dispose();
    }

    // The library wants a power of two; the smaller one keeps what the option promises about memory.
    private static int PowerOfTwo(int value) => 1 << BitOperations.Log2((uint)value);

    private static X509ChainPolicy NoDownloads() => new()
    {
        DisableCertificateDownloads = true,
        RevocationMode = X509RevocationMode.NoCheck,
        VerificationFlags = X509VerificationFlags.IgnoreInvalidName,
    };
}
