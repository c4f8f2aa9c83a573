using System.Threading.Channels;
using EventMesh.Events;
using EventMesh.Identity;
using EventMesh.Messaging;
using EventMesh.Transport;
using EventMesh.Trust;
using EventMesh.Wire;
using Microsoft.Extensions.Logging;

namespace EventMesh.Sessions.Internal;

/// <summary>
/// The session with one peer: feeds <see cref="PeerSessionState"/> with what happens and does what it asks for, one input after another.
/// </summary>
internal sealed partial class PeerSession
{
    private readonly SessionTable _table;
    private readonly Channel<SessionInput> _inputs = Channel.CreateBounded<SessionInput>(new BoundedChannelOptions(256) { SingleReader = true });
    private readonly Dictionary<Guid, PeerConnection> _connections = [];
    private readonly Lock _mutex = new();
    private readonly ReverseCheckLimit _checks;
    private TaskCompletionSource<PeerInfo> _joined = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private PeerSessionState _state;
    private PeerInfo? _info;

    public PeerSession(SessionTable table, ISessionHost host, PeerId peer)
    {
        _table = table;
        Host = host;
        Peer = peer;
        Intake = new Limits.Internal.IntakeRate(host.Options.Limits, host.Clock);
        _state = new PeerSessionState(host.LocalPeer, peer, host.Options.Kind);
        _checks = new ReverseCheckLimit(host.Clock, host.Options.Bootstrap.ReverseCheckInterval);
        Completion = RunAsync();
    }

    public ISessionHost Host { get; }

    /// <summary>The messages that may come again, of all peers.</summary>
    public SeenMessages Seen => _table.Seen;

    public PeerId Peer { get; }

    /// <summary>How fast the peer may send, on all its connections together.</summary>
    public Limits.Internal.IntakeRate Intake { get; }

    /// <summary>The peer's process start; empty while unknown.</summary>
    public Guid RemoteInstance => _state.RemoteInstance;

    /// <summary>Completes when the session has ended and left the table.</summary>
    public Task Completion { get; }

    /// <summary>The peer while it is joined, else null.</summary>
    public PeerInfo? Info
    {
        get => Volatile.Read(ref _info);
        private set => Volatile.Write(ref _info, value);
    }

    /// <summary>The DNS name that the peer's certificate proves; empty when none is asked for.</summary>
    public string ProvenName => Host.Gate.Mode == TrustMode.Encrypted ? "" : First()?.RemoteHello?.DnsName ?? "";

    /// <summary>Completes when the peer has joined.</summary>
    public Task<PeerInfo> Joined
    {
        get { lock (_mutex) return _joined.Task; }
    }

    /// <summary>The source of the session's first connection, when the peer dialled it.</summary>
    public System.Net.IPNetwork? InboundSource { get; private set; }

    /// <summary>Whether the peer dialled us, not we it.</summary>
    public bool IsInbound => InboundSource is not null;

    /// <summary>Whether it was chosen to make room for another: it does not count for the limits any more.</summary>
    public bool IsLeaving { get; set; }

    /// <summary>Messages sent and received on the connections that the session has now.</summary>
    public long Messages => Connections().Sum(connection => connection.MessagesSent + connection.MessagesReceived);

    /// <summary>Where the peer says that it sees our listening socket, while it is joined.</summary>
    public System.Net.IPEndPoint? ObservedUs { get; private set; }

    /// <summary>When we last dialled the peer back because it asked for it; 0 for never. For <see cref="ISessionHost.AnswerDialBackAsync"/> alone.</summary>
    public long LastDialBack { get; set; }

    /// <summary>How many connections the session has, for the table's decision to retire it.</summary>
    public int ConnectionCount
    {
        get { lock (_mutex) return _connections.Count; }
    }

    /// <summary>Gives the session a connection and starts to read it. Called under the table's lock.</summary>
    public PeerConnection Attach(
        ITransportConnection transport, DiscoverySource source, bool isReverse, Guid checkedLink, CancellationToken nodeStopping)
    {
        var connection = new PeerConnection(transport, this, isReverse, nodeStopping) { OpenedTimestamp = Host.Clock.GetTimestamp(), Source = source };
        // From the start: an address that changes before anybody has looked has changed too.
        connection.LastSeenAt = connection.RemoteEndPoint;
        lock (_mutex)
        {
            if (_connections.Count == 0) InboundSource = transport.IsDialer ? null : AddressPrefix.SourceOf(connection.RemoteEndPoint.Address);
            _connections.Add(connection.Id, connection);
            // Before the connection is read, so that its end can't come first.
            if (transport.IsDialer && !_inputs.Writer.TryWrite(new SessionInput.Dialled(connection.Id, isReverse ? checkedLink : Guid.NewGuid(), isReverse)))
            {
                _connections.Remove(connection.Id);
                throw new MeshException(MeshError.TooManyConnections, $"The session with peer {Peer.ToShortString()} is overloaded.");
            }
        }
        _table.Tasks.TryRun(static state => state.Session.RunConnectionAsync(state.Connection), (Session: this, Connection: connection));
        _table.Tasks.TryRun(static state => state.Session.WatchHandshakeAsync(state.Connection), (Session: this, Connection: connection));
        return connection;
    }

    public ValueTask PostAsync(SessionInput input) => _inputs.Writer.WriteAsync(input, CancellationToken.None);

    /// <summary>Ends the session as it is now and waits until its connections are closed. A new one may begin meanwhile.</summary>
    public async Task EndAsync(CloseReason reason, WireCode code)
    {
        PeerConnection[] connections = Connections();
        if (!await TryPostAsync(new SessionInput.EndRequested(reason, code)).ConfigureAwait(false)) return;
        await Task.WhenAll(connections.Select(connection => connection.Completion)).ConfigureAwait(false);
    }

    /// <summary>Whether the peer, its certificate or the address of a connection has been blocked.</summary>
    public bool IsRefused() => Connections().Any(
        connection => Host.Trust.Refusal(Peer, connection.Transport.PeerCertificate.Span, connection.RemoteEndPoint.Address) is not null);

    private async Task RunAsync()
    {
        await Task.CompletedTask.ConfigureAwait(ConfigureAwaitOptions.ForceYielding);
        try
        {
            await foreach (SessionInput input in _inputs.Reader.ReadAllAsync().ConfigureAwait(false))
            {
                (_state, IReadOnlyList<SessionAction> actions) = _state.Step(input);
                foreach (SessionAction action in actions) await DoAsync(action).ConfigureAwait(false);
                // Also those that have not said Hello yet.
                if (input is SessionInput.EndRequested end)
                    await Task.WhenAll(Connections().Select(connection => connection.CloseAsync(end.Code))).ConfigureAwait(false);
                if (input is SessionInput.ConnectionEnded ended) Detach(ended.Connection);
                if (_state.Phase == SessionPhase.Absent && _table.TryRetire(this)) break;
            }
        }
        catch (Exception e)
        {
            Log.SessionFailed(Host.Logger, e, Peer.ToShortString());
            foreach (PeerConnection connection in Connections()) await connection.CloseAsync(WireCode.Disconnected).ConfigureAwait(false);
            _table.Remove(this);
        }
        finally
        {
            _inputs.Writer.TryComplete();
            foreach (PeerConnection connection in Connections()) connection.MarkCompleted();
        }
    }

    private PeerConnection[] Connections()
    {
        lock (_mutex) return [.. _connections.Values];
    }

    private PeerConnection? Find(Guid connection)
    {
        lock (_mutex) return _connections.GetValueOrDefault(connection);
    }

    private void Detach(Guid connection)
    {
        PeerConnection? ended;
        lock (_mutex) _connections.Remove(connection, out ended);
        if (ended is not null) StopSendingOn(ended);
        ended?.MarkCompleted();
    }

    private async Task RunConnectionAsync(PeerConnection connection)
    {
        TransportCloseInfo info = await connection.RunAsync().ConfigureAwait(false);
        connection.CloseInfo = info;
        await TryPostAsync(new SessionInput.ConnectionEnded(connection.Id, ReasonOf(info, connection))).ConfigureAwait(false);
        await connection.DisposeAsync().ConfigureAwait(false);
    }

    /// <summary>Closes a connection whose application handshake does not come to its end in time.</summary>
    private async Task WatchHandshakeAsync(PeerConnection connection)
    {
        try
        {
            await connection.Standing.WaitAsync(Host.Options.Transport.HandshakeTimeout, Host.Clock, connection.Ended).ConfigureAwait(false);
        }
        catch (TimeoutException)
        {
            await connection.CloseAsync(WireCode.HandshakeTimeout).ConfigureAwait(false);
        }
        catch (OperationCanceledException)
        {
            // The connection ended before.
        }
    }

    private static CloseReason ReasonOf(TransportCloseInfo info, PeerConnection connection) => info.Error switch
    {
        MeshError.ClosedByPeer => (WireCode?)info.ApplicationCode switch
        {
            WireCode.Shutdown => CloseReason.PeerShutdown,
            WireCode.ProtocolViolation => CloseReason.ProtocolViolation,
            WireCode.ReverseCheckFailed => CloseReason.ReverseCheckFailed,
            WireCode.Replaced => CloseReason.Replaced,
            WireCode.Trimmed => CloseReason.Trimmed,
            // The peer saw the other connection of the pair break before we did.
            WireCode.PairIncomplete => CloseReason.Lost,
            _ => CloseReason.Remote,
        },
        MeshError.IdleTimeout => CloseReason.Idle,
        MeshError.Aborted => connection.CloseCode switch
        {
            WireCode.ProtocolViolation => CloseReason.ProtocolViolation,
            WireCode.HandshakeTimeout => CloseReason.Lost,
            WireCode.Replaced => CloseReason.Replaced,
            WireCode.Trimmed => CloseReason.Trimmed,
            WireCode.Disconnected => CloseReason.Local,
            WireCode.Blocked => CloseReason.Blocked,
            WireCode.RateLimited => CloseReason.RateLimited,
            _ => CloseReason.Shutdown,
        },
        MeshError.ProtocolViolation => CloseReason.ProtocolViolation,
        _ => CloseReason.Lost,
    };
}
