using System.Net;
using EventMesh.Identity;
using EventMesh.Transport.Ngtcp2.Interop;

namespace EventMesh.Transport.Ngtcp2.Internal;

/// <summary>
/// A connection: what the application sees. Everything that touches ngtcp2 is in the other parts and runs on the loop thread;
/// members here only read what the loop has published, or post work to it.
/// </summary>
internal sealed partial class Connection : PacketTarget, ITransportConnection, ILoopWork, INativeConnectionOwner
{
    // Application codes are QUIC's variable-length integers.
    private const ulong MaxCode = (1UL << 62) - 1;

    private const long NoCode = -1;

    private readonly TaskCompletionSource<TransportCloseInfo> _closed = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private long _closeCode = NoCode;
    private int _posted;
    private IPEndPoint _remote;
    private PeerId _peerId;
    private IReadOnlyList<ReadOnlyMemory<byte>> _peerCertificates = [];
    private Failure? _ended;

    private long _bytesSent;
    private long _bytesReceived;
    private long _smoothedRoundTrip;
    private long _congestionWindow;

    public Connection(EventLoop loop, bool isDialer, IPEndPoint remote)
    {
        Loop = loop;
        IsDialer = isDialer;
        _remote = remote;
        _unidirectional = new StreamOpener(this, StreamDirection.Unidirectional);
        _bidirectional = new StreamOpener(this, StreamDirection.Bidirectional);
        if (isDialer)
            _dialled = new TaskCompletionSource<Connection>(TaskCreationOptions.RunContinuationsAsynchronously);
        loop.Counters.ConnectionCreated();
    }

    public bool IsDialer { get; }

    public IPEndPoint LocalEndPoint => Loop.LocalEndPoint;

    public IPEndPoint RemoteEndPoint => Volatile.Read(ref _remote);

    public PeerId PeerId => _peerId;

    public ReadOnlyMemory<byte> PeerCertificate => _peerCertificates[0];

    public IReadOnlyList<ReadOnlyMemory<byte>> PeerCertificateChain => _peerCertificates;

    public Task<TransportCloseInfo> Closed => _closed.Task;

    internal EventLoop Loop { get; }

    internal EndpointSettings Settings => Loop.Settings;

    internal NativeBufferPool Pool => Loop.Pool;

    /// <summary>Why the connection has ended; null while it has not.</summary>
    internal Failure? Ended => Volatile.Read(ref _ended);

    public ValueTask<ITransportStream> OpenStreamAsync(StreamDirection direction, CancellationToken cancellationToken) =>
        (direction == StreamDirection.Unidirectional ? _unidirectional : _bidirectional).OpenAsync(cancellationToken);

    public ValueTask<ITransportStream> AcceptStreamAsync(CancellationToken cancellationToken) => _inbound.TakeAsync(cancellationToken);

    public Task CloseAsync(ulong code)
    {
        ThrowIfInvalidCode(code);
        // Who disposes of a connection that has ended must not wake the loop for it.
        if (Interlocked.CompareExchange(ref _closeCode, (long)code, NoCode) == NoCode && Ended is null)
            Post();
        return Closed;
    }

    public async ValueTask DisposeAsync() => await CloseAsync(0).ConfigureAwait(false);

    public TransportStatistics GetStatistics() => new(
        Interlocked.Read(ref _bytesSent),
        Interlocked.Read(ref _bytesReceived),
        TimeSpan.FromTicks(Interlocked.Read(ref _smoothedRoundTrip) / TimeSpan.NanosecondsPerTick),
        Interlocked.Read(ref _congestionWindow));

    /// <exception cref="ArgumentOutOfRangeException">The code does not fit into QUIC's 62 bits.</exception>
    internal static void ThrowIfInvalidCode(ulong code) => ArgumentOutOfRangeException.ThrowIfGreaterThan(code, MaxCode);

    /// <summary>Asks the loop to look at this connection.</summary>
    internal void Post()
    {
        if (Interlocked.Exchange(ref _posted, 1) == 0)
            Loop.Post(this);
    }

    void ILoopWork.Run()
    {
        Volatile.Write(ref _posted, 0);
        if (_handle is null)
        {
            // A close can overtake its own dial; nothing has been sent then.
            if (Interlocked.Read(ref _closeCode) != NoCode && Ended is null)
                End(Failure.WriteAborted, new TransportCloseInfo(MeshError.Aborted, null, "Closed before the handshake."));
            return;
        }
        long code = Interlocked.Read(ref _closeCode);
        if (code != NoCode)
            CloseWithCode((ulong)code);
        else
            Loop.MarkReady(this);
    }
}
