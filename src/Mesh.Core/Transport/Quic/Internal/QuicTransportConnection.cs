using System.Net;
using System.Net.Quic;
using System.Runtime.Versioning;
using System.Threading.Channels;
using EventMesh.Identity;

namespace EventMesh.Transport.Quic.Internal;

[SupportedOSPlatform("linux")]
[SupportedOSPlatform("macos")]
[SupportedOSPlatform("windows")]
internal sealed class QuicTransportConnection : ITransportConnection
{
    private readonly QuicTransportEndpoint _endpoint;
    private readonly QuicConnection _inner;
    private readonly QuicPeer _peer;
    private readonly Channel<QuicTransportStream> _unaccepted;
    private readonly TaskCompletionSource<TransportCloseInfo> _closed = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly HashSet<Task> _streamDisposals = [];
    private readonly Lock _mutex = new();
    private readonly Task _acceptLoop;
    private TransportCloseInfo? _end;
    private Task? _close;
    private Task? _disposal;
    private long _bytesSent;
    private long _bytesReceived;

    public QuicTransportConnection(QuicTransportEndpoint endpoint, QuicConnection inner, QuicPeer peer, bool isDialer, int maxInboundStreams)
    {
        _endpoint = endpoint;
        _inner = inner;
        _peer = peer;
        IsDialer = isDialer;
        // Both directions: the peer can't open more before we have accepted, read and thereby given back.
        _unaccepted = Channel.CreateBounded<QuicTransportStream>(new BoundedChannelOptions(Math.Max(1, 2 * maxInboundStreams)) { SingleWriter = true });
        _acceptLoop = AcceptLoopAsync();
    }

    public bool IsDialer { get; }

    public IPEndPoint LocalEndPoint => QuicAddresses.Normalize(_inner.LocalEndPoint);

    public IPEndPoint RemoteEndPoint => QuicAddresses.Normalize(_inner.RemoteEndPoint);

    public PeerId PeerId => _peer.PeerId;

    public ReadOnlyMemory<byte> PeerCertificate => _peer.Chain[0];

    public IReadOnlyList<ReadOnlyMemory<byte>> PeerCertificateChain => _peer.Chain;

    public Task<TransportCloseInfo> Closed => _closed.Task;

    public async ValueTask<ITransportStream> OpenStreamAsync(StreamDirection direction, CancellationToken cancellationToken)
    {
        ThrowIfEnded();
        QuicStreamType type = direction == StreamDirection.Unidirectional ? QuicStreamType.Unidirectional : QuicStreamType.Bidirectional;
        try
        {
            // The number is taken before the first await within, so the order of the calls is the order of the streams.
            QuicStream stream = await _peer.Capacity.RequestAsync(
                direction, () => _inner.OpenOutboundStreamAsync(type, CancellationToken.None).AsTask(), cancellationToken).ConfigureAwait(false);
            return new QuicTransportStream(this, stream);
        }
        catch (Exception exception) when (exception is not OperationCanceledException)
        {
            throw Translate(exception);
        }
    }

    public async ValueTask<ITransportStream> AcceptStreamAsync(CancellationToken cancellationToken)
    {
        ThrowIfEnded();
        try
        {
            return await _unaccepted.Reader.ReadAsync(cancellationToken).ConfigureAwait(false);
        }
        catch (ChannelClosedException exception)
        {
            throw Translate(exception.InnerException ?? exception);
        }
    }

    public Task CloseAsync(ulong code)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(code, 1UL << 62);
        lock (_mutex)
        {
            if (_close is null && _end is null)
            {
                End(new TransportCloseInfo(MeshError.Aborted, code, $"This side closed the connection with code {code}."));
                _close = CloseCoreAsync((long)code);
            }
            return _close ?? Task.CompletedTask;
        }
    }

    public ValueTask DisposeAsync()
    {
        lock (_mutex)
        {
            _disposal ??= DisposeCoreAsync();
            return new ValueTask(_disposal);
        }
    }

    /// <summary>The runtime shows no figures of a connection: these are the bytes of its streams.</summary>
    public TransportStatistics GetStatistics() =>
        new(Interlocked.Read(ref _bytesSent), Interlocked.Read(ref _bytesReceived), TimeSpan.Zero, 0);

    public void CountSent(int bytes) => Interlocked.Add(ref _bytesSent, bytes);

    public void CountReceived(int bytes) => Interlocked.Add(ref _bytesReceived, bytes);

    /// <summary>Our name for what an operation of a stream threw; the end of the connection goes before.</summary>
    public MeshException Translate(Exception exception) => Volatile.Read(ref _end) is { } end ? Failure(end) : exception.ToMeshException();

    public void ThrowIfEnded()
    {
        if (Volatile.Read(ref _end) is { } end)
            throw Failure(end);
    }

    /// <summary>
    /// Disposes a stream without letting its user wait: the runtime ends that only when the peer has acknowledged all of it.
    /// </summary>
    public void DisposeInBackground(QuicStream stream)
    {
        Task disposal = stream.DisposeAsync().AsTask();
        if (disposal.IsCompletedSuccessfully)
            return;
        lock (_mutex)
            _streamDisposals.Add(disposal);
        _ = disposal.ContinueWith(
            static (ended, state) => ((QuicTransportConnection)state!).OnStreamDisposed(ended),
            this, CancellationToken.None, TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);
    }

    private static MeshException Failure(TransportCloseInfo end) =>
        new(end.Error, end.Detail) { RemoteCode = end.Error == MeshError.ClosedByPeer ? end.ApplicationCode : null };

    private void OnStreamDisposed(Task disposal)
    {
        _ = disposal.Exception;
        lock (_mutex)
            _streamDisposals.Remove(disposal);
    }

    /// <summary>Takes streams as they come, and learns in this way, the only one there is, that and why the connection ended.</summary>
    private async Task AcceptLoopAsync()
    {
        await Task.Yield();
        try
        {
            while (true)
            {
                QuicStream stream = await _inner.AcceptInboundStreamAsync(CancellationToken.None).ConfigureAwait(false);
                await _unaccepted.Writer.WriteAsync(new QuicTransportStream(this, stream), CancellationToken.None).ConfigureAwait(false);
            }
        }
        catch (Exception exception)
        {
            lock (_mutex)
                End(exception.ToCloseInfo());
        }
    }

    private void End(TransportCloseInfo info)
    {
        if (_end is not null)
            return;
        Volatile.Write(ref _end, info);
        _peer.Capacity.Fail(() => Failure(info));
        _unaccepted.Writer.TryComplete(Failure(info));
        _closed.TrySetResult(info);
    }

    private async Task CloseCoreAsync(long code)
    {
        await Task.Yield();
        try
        {
            await _inner.CloseAsync(code).ConfigureAwait(false);
        }
        catch (Exception exception) when (exception is QuicException or ObjectDisposedException)
        {
            // It ended in another way meanwhile, which is as good.
        }
    }

    private async Task DisposeCoreAsync()
    {
        await Task.Yield();
        await CloseAsync(0).ConfigureAwait(false);
        try
        {
            await _inner.DisposeAsync().ConfigureAwait(false);
        }
        catch (Exception exception) when (exception is QuicException or ObjectDisposedException)
        {
            // Disposing never throws; there is nothing left to save.
        }
        await _acceptLoop.ConfigureAwait(false);
        while (_unaccepted.Reader.TryRead(out QuicTransportStream? stream))
            await stream.DisposeAsync().ConfigureAwait(false);
        Task[] disposals;
        lock (_mutex)
            disposals = [.. _streamDisposals];
        await Task.WhenAll(disposals).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        _endpoint.Remove(this);
    }
}
