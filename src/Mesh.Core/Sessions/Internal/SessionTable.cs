using System.Diagnostics.CodeAnalysis;
using System.Net;
using EventMesh.Events;
using EventMesh.Identity;
using EventMesh.Transport;
using EventMesh.Trust;
using EventMesh.Wire;

namespace EventMesh.Sessions.Internal;

/// <summary>All sessions of the node, one a peer, within the limits on connections.</summary>
internal sealed class SessionTable(ISessionHost host)
{
    private readonly Lock _mutex = new();
    private readonly Dictionary<PeerId, PeerSession> _sessions = [];
    private readonly CancellationTokenSource _stopping = new();

    /// <summary>The messages that may come again; they outlive the session of their peer.</summary>
    public SeenMessages Seen { get; } = new(host.Options.Limits.MaxPeers);

    /// <summary>The tasks of all connections.</summary>
    public TaskTracker Tasks { get; } = new();

    /// <summary>Gives a connection to the session of its peer, which begins with it when there is none.</summary>
    /// <param name="transport">The connection; its peer is proven.</param>
    /// <param name="source">How the peer's address was known.</param>
    /// <param name="isReverse">Whether it is our dial of a reverse check.</param>
    /// <param name="checkedLink">The link that the reverse check is of.</param>
    /// <exception cref="MeshException"><see cref="MeshError.NodeStopped"/>, <see cref="MeshError.Blocked"/> or <see cref="MeshError.TooManyConnections"/>.</exception>
    public (PeerSession Session, PeerConnection Connection) Attach(
        ITransportConnection transport, DiscoverySource source, bool isReverse, Guid checkedLink = default)
    {
        lock (_mutex)
        {
            if (_stopping.IsCancellationRequested) throw new MeshException(MeshError.NodeStopped, "The node is stopping.");
            // Under the lock: a block that comes later finds the session in the table.
            if (host.Trust.Refusal(transport.PeerId, transport.PeerCertificate.Span, transport.RemoteEndPoint.Address) is { } refusal) throw refusal;
            if (!_sessions.TryGetValue(transport.PeerId, out PeerSession? session))
            {
                CheckLimits(transport);
                session = new PeerSession(this, host, transport.PeerId);
                _sessions.Add(transport.PeerId, session);
            }
            // A session never needs more than its pair and a contender of each kind; more is a flood.
            else if (session.ConnectionCount >= 8)
            {
                throw new MeshException(MeshError.TooManyConnections, $"Peer {transport.PeerId.ToShortString()} has too many connections.");
            }
            return (session, session.Attach(transport, source, isReverse, checkedLink, _stopping.Token));
        }
    }

    public bool TryGet(PeerId peer, [NotNullWhen(true)] out PeerSession? session)
    {
        lock (_mutex) return _sessions.TryGetValue(peer, out session);
    }

    public PeerSession[] Sessions()
    {
        lock (_mutex) return [.. _sessions.Values];
    }

    /// <summary>How many peers are joined.</summary>
    public int JoinedCount => Sessions().Count(session => session.Info is not null);

    /// <summary>
    /// How many joined peers count for the target: those that we chose to dial, and of those that dialled us half the target at most. Whoever fills us with
    /// inbound connections must not keep us from dialling others.
    /// </summary>
    public int Degree
    {
        get
        {
            int inbound = 0, outbound = 0;
            foreach (PeerSession session in Sessions())
            {
                if (session.Info is null) continue;
                if (session.IsInbound) inbound++;
                else outbound++;
            }
            return outbound + Math.Min(inbound, host.Options.Bootstrap.TargetPeers / 2);
        }
    }

    /// <summary>Takes an absent session without connections out of the table; it ends then.</summary>
    public bool TryRetire(PeerSession session)
    {
        lock (_mutex) return session.ConnectionCount == 0 && _sessions.Remove(session.Peer);
    }

    public void Remove(PeerSession session)
    {
        lock (_mutex) _sessions.Remove(session.Peer);
    }

    /// <summary>Ends the sessions of all who claim to follow a disputed key, but the one that is about to be refused.</summary>
    public void OnDisputed(SuccessionDisputed dispute, PeerSession refused)
    {
        Trust.Internal.Log.SuccessionDisputed(host.Logger, dispute.Predecessor.ToString(), dispute.Known.ToString(), dispute.Claimed.ToString());
        foreach (PeerSession session in Sessions().Where(session => session != refused && host.Journal.State.Keys.DisputeOf(session.Peer) is not null))
            Tasks.TryRun(static session => session.EndAsync(CloseReason.Local, WireCode.SuccessionConflict), session);
    }

    /// <summary>Closes the connections of peers and addresses that have been blocked.</summary>
    public void CloseRefused()
    {
        foreach (PeerSession session in Sessions())
        {
            if (session.IsRefused()) Tasks.TryRun(static session => session.EndAsync(CloseReason.Blocked, WireCode.Blocked), session);
        }
    }

    /// <summary>The code that tells a peer why its connection was not taken.</summary>
    public static WireCode CodeOf(MeshException refusal) => refusal.Error switch
    {
        MeshError.NodeStopped => WireCode.Shutdown,
        MeshError.Blocked => WireCode.Blocked,
        MeshError.RateLimited => WireCode.RateLimited,
        _ => WireCode.TooManyConnections,
    };

    /// <summary>Tells all peers, closes all connections and waits until everything has ended.</summary>
    public async Task StopAsync()
    {
        await Task.WhenAll(Sessions().Select(session => session.LeaveAsync(CloseReason.Shutdown, WireCode.Shutdown))).ConfigureAwait(false);
        await _stopping.CancelAsync().ConfigureAwait(false);
        PeerSession[] late = Sessions();
        await Task.WhenAll(late.Select(session => session.EndAsync(CloseReason.Shutdown, WireCode.Shutdown))).ConfigureAwait(false);
        await Task.WhenAll(late.Select(session => session.Completion)).ConfigureAwait(false);
        await Tasks.CloseAsync().ConfigureAwait(false);
        _stopping.Dispose();
    }

    private void CheckLimits(ITransportConnection transport)
    {
        Node.LimitOptions limits = host.Options.Limits;
        if (_sessions.Values.Count(session => !session.IsLeaving) >= limits.MaxPeers)
            throw new MeshException(MeshError.TooManyConnections, $"The limit of {limits.MaxPeers} peers is reached (EventMesh:Limits:MaxPeers).");
        if (transport.IsDialer) return;
        if (!host.Journal.HasRoomFor(transport.PeerId)) throw new MeshException(MeshError.TooManyConnections, "Too many new peers wait to be recorded.");
        int inbound = 0, sameSource = 0;
        IPAddress source = EndpointCodec.Normalize(transport.RemoteEndPoint.Address);
        IPNetwork prefix = AddressPrefix.SourceOf(source);
        foreach (PeerSession session in _sessions.Values)
        {
            if (session.InboundSource is not { } from) continue;
            if (!session.IsLeaving) inbound++;
            if (from == prefix) sameSource++;
        }
        int perSource = AddressScope.IsGlobal(source) ? limits.MaxConnectionsPerSource : limits.MaxConnectionsPerPrivateSource;
        if (sameSource >= perSource || (inbound >= limits.MaxInboundPeers && !host.TryMakeRoom()))
            throw new MeshException(MeshError.TooManyConnections, $"Too many inbound peers, or too many of {source}.");
    }
}
