using System.Buffers;
using System.Net;
using EventMesh.Events;
using EventMesh.Limits.Internal;
using EventMesh.Transport;
using EventMesh.Wire;
using Google.Protobuf;

namespace EventMesh.Sessions.Internal;

/// <summary>
/// One QUIC connection with a peer: its control streams, its inbound streams and its counters. What they mean is the session's.
/// </summary>
internal sealed partial class PeerConnection : IAsyncDisposable
{
    private const int MaxStreamsBeforeJoin = 256;

    private readonly SemaphoreSlim _controlLock = new(1, 1);
    private readonly TaskTracker _streams = new();
    private readonly CancellationTokenSource _ended;
    private readonly ITransportConnection _transport;
    private readonly PeerSession _session;
    private readonly TaskCompletionSource _joined = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource _standing = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource _completion = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly ArrayBufferWriter<byte> _controlBuffer = new(256);
    private ITransportStream? _control;
    private long _bytesSent;
    private long _bytesReceived;
    private long _messagesSent;
    private long _messagesReceived;
    private WireCode? _closeCode;
    private int _isLeaving;

    public PeerConnection(ITransportConnection transport, PeerSession session, bool isReverse, CancellationToken nodeStopping)
    {
        _transport = transport;
        _session = session;
        IsReverse = isReverse;
        _ended = CancellationTokenSource.CreateLinkedTokenSource(nodeStopping);
        Ended = _ended.Token;
    }

    /// <summary>The connection's identity in the log.</summary>
    public Guid Id { get; } = Guid.CreateVersion7();

    public ITransportConnection Transport => _transport;

    public bool IsDialer => _transport.IsDialer;

    /// <summary>As dialer: whether this is the reverse check's dial.</summary>
    public bool IsReverse { get; }

    public IPEndPoint RemoteEndPoint => EndpointCodec.Normalize(_transport.RemoteEndPoint);

    /// <summary>The peer's Hello once it was accepted.</summary>
    public Wire.Frames.Hello? RemoteHello { get; set; }

    /// <summary>The ports that the peer last said it listens on, at most two.</summary>
    public IReadOnlyList<int> AnnouncedPorts { get; set; } = [];

    /// <summary>The peer's address when it was last looked at.</summary>
    public IPEndPoint? LastSeenAt { get; set; }

    /// <summary>How the peer's address was known, for a dial of ours.</summary>
    public DiscoverySource Source { get; init; }

    /// <summary>When it was attached, then when it stood; for durations.</summary>
    public long OpenedTimestamp { get; set; }

    /// <summary>Whether its opening is in the log.</summary>
    public bool WasRecorded { get; set; }

    /// <summary>Whether the peer has accepted our Hello.</summary>
    public bool HasVerdict { get; set; }

    /// <summary>The code that the peer's verdict refused it with.</summary>
    public WireCode? RefusedWith { get; set; }

    /// <summary>Why we refused it, for the operator; the peer learns a code.</summary>
    public string? RefusalReason { get; set; }

    /// <summary>The changes of its key that the peer's Hello tells of, proven: which identities it had before.</summary>
    public IReadOnlyList<Trust.KeySuccession> Succession { get; set; } = [];

    /// <summary>How it ended, once it has.</summary>
    public TransportCloseInfo? CloseInfo { get; set; }

    public long BytesSent => Volatile.Read(ref _bytesSent);

    public long BytesReceived => Volatile.Read(ref _bytesReceived);

    public long MessagesSent => Volatile.Read(ref _messagesSent);

    public long MessagesReceived => Volatile.Read(ref _messagesReceived);

    /// <summary>The code that we closed it with, if we did.</summary>
    public WireCode? CloseCode => _closeCode;

    /// <summary>Whether this is the peer's first Goodbye on it.</summary>
    public bool TryMarkLeaving() => Interlocked.Exchange(ref _isLeaving, 1) == 0;

    /// <summary>Completes when both sides have accepted; cancelled when the connection ended before.</summary>
    public Task Standing => _standing.Task;

    /// <summary>Cancelled when the connection has ended.</summary>
    public CancellationToken Ended { get; }

    /// <summary>Completes when the session has taken note of the connection's end.</summary>
    public Task Completion => _completion.Task;

    public void MarkCompleted() => _completion.TrySetResult();

    public void MarkStanding() => _standing.TrySetResult();

    /// <summary>Lets the message streams that wait be read.</summary>
    public void MarkJoined() => _joined.TrySetResult();

    public void CountSent(int messages, long bytes)
    {
        Interlocked.Add(ref _messagesSent, messages);
        Interlocked.Add(ref _bytesSent, bytes);
    }

    /// <summary>Sends a control frame; the first one opens the control stream.</summary>
    /// <remarks>
    /// A frame waits only when 1 MiB of earlier ones is unacknowledged, or the peer grants no stream. A peer that does not read its control
    /// stream for the handshake time is closed, so that it holds up nobody.
    /// </remarks>
    public Task SendControlAsync(FrameType type, IMessage body) => SendControlAsync(type, body, default, null);

    /// <summary>Sends two control frames in one write.</summary>
    public async Task SendControlAsync(FrameType type, IMessage body, FrameType secondType, IMessage? secondBody)
    {
        Task sending = SendControlCoreAsync(type, body, secondType, secondBody);
        try
        {
            await sending.WaitAsync(_session.Host.Options.Transport.HandshakeTimeout, _session.Host.Clock).ConfigureAwait(false);
        }
        catch (TimeoutException)
        {
            await CloseAsync(WireCode.ProtocolViolation).ConfigureAwait(false);
            await sending.ConfigureAwait(false);
        }
    }

    private async Task SendControlCoreAsync(FrameType type, IMessage body, FrameType secondType, IMessage? secondBody)
    {
        await _controlLock.WaitAsync(Ended).ConfigureAwait(false);
        try
        {
            _controlBuffer.ResetWrittenCount();
            if (_control is null)
            {
                _control = await _transport.OpenStreamAsync(StreamDirection.Unidirectional, Ended).ConfigureAwait(false);
                FrameWriter.WriteVarInt(_controlBuffer, (ulong)StreamType.Control);
            }
            FrameWriter.Write(_controlBuffer, type, body);
            if (secondBody is not null) FrameWriter.Write(_controlBuffer, secondType, secondBody);
            await _control.WriteAsync(_controlBuffer.WrittenMemory, endStream: false, Ended).ConfigureAwait(false);
        }
        finally
        {
            _controlLock.Release();
        }
    }

    /// <summary>Closes the connection; the first code wins.</summary>
    public Task CloseAsync(WireCode code)
    {
        if (_closeCode is null && OffenceOf(code) is { } offence && !_transport.Closed.IsCompleted)
            _session.Host.Abuse.Report(_session.Peer, _transport.RemoteEndPoint.Address, offence);
        _closeCode ??= code;
        return _transport.CloseAsync((ulong)code);
    }

    private Offence? OffenceOf(WireCode code) => code switch
    {
        WireCode.ProtocolViolation => Offence.ProtocolViolation,
        WireCode.RateLimited => Offence.ControlFlood,
        // A dial of ours that is not answered is no offence.
        WireCode.HandshakeTimeout when !IsDialer => Offence.HandshakeStalled,
        _ => null,
    };

    /// <summary>Reads the peer's streams until the connection ends; never fails.</summary>
    public async Task<TransportCloseInfo> RunAsync()
    {
        try
        {
            for (int accepted = 0; ; accepted++)
            {
                // A short stream is in our memory once its type has been read: until the peer has joined, only so many are looked at.
                if (accepted >= MaxStreamsBeforeJoin && !_joined.Task.IsCompleted) await Task.WhenAny(_joined.Task, _transport.Closed).ConfigureAwait(false);
                ITransportStream stream = await _transport.AcceptStreamAsync(Ended).ConfigureAwait(false);
                // On this thread as far as what has arrived goes: handing over does not wait, and a hop costs more than most streams.
                if (!_streams.TryBegin(static state => state.Connection.HandleStreamAsync(state.Stream), (Connection: this, Stream: stream)))
                    await stream.DisposeAsync().ConfigureAwait(false);
            }
        }
        catch (Exception e) when (e is MeshException or OperationCanceledException or ObjectDisposedException)
        {
            // The connection has ended, or the node stops: Closed says how.
        }
        if (!_transport.Closed.IsCompleted) await _transport.CloseAsync((ulong)WireCode.Shutdown).ConfigureAwait(false);
        TransportCloseInfo info = await _transport.Closed.ConfigureAwait(false);
        await _ended.CancelAsync().ConfigureAwait(false);
        _joined.TrySetCanceled();
        _standing.TrySetCanceled();
        await _streams.CloseAsync().ConfigureAwait(false);
        return info;
    }

    public async ValueTask DisposeAsync()
    {
        if (_control is not null) await _control.DisposeAsync().ConfigureAwait(false);
        await _transport.DisposeAsync().ConfigureAwait(false);
        _ended.Dispose();
        _controlLock.Dispose();
    }
}
