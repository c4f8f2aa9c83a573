using System.Diagnostics.CodeAnalysis;
using System.Net;
using EventMesh.Events;
using EventMesh.Identity;
using EventMesh.Transport;
using EventMesh.Wire;

namespace EventMesh.Sessions.Internal;

/// <summary>All sessions of the node, one a peer, within the limits on connections.</summary>
internal sealed class SessionTable(ISessionHost host)
{
    private readonly Lock _mutex = new();
    private readonly Dictionary<PeerId, PeerSession> _sessions = [];
    private readonly CancellationTokenSource _stopping = new();
    private long _lastObserved;

    /// <summary>The tasks of all connections.</summary>
    public TaskTracker Tasks { get; } = new();

    /// <summary>Gives a connection to the session of its peer, which begins with it when there is none.</summary>
    /// <param name="transport">The connection; its peer is proven.</param>
    /// <param name="source">How the peer's address was known.</param>
    /// <param name="isReverse">Whether it is our dial of a reverse check.</param>
    /// <exception cref="MeshException"><see cref="MeshError.NodeStopped"/> or <see cref="MeshError.TooManyConnections"/>.</exception>
    public (PeerSession Session, PeerConnection Connection) Attach(ITransportConnection transport, DiscoverySource source, bool isReverse)
    {
        lock (_mutex)
        {
            if (_stopping.IsCancellationRequested) throw new MeshException(MeshError.NodeStopped, "The node is stopping.");
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
            return (session, session.Attach(transport, source, isReverse, _stopping.Token));
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

    /// <summary>Whether an observed endpoint may be recorded now: once a minute.</summary>
    public bool MayObserve()
    {
        long now = host.Clock.GetTimestamp();
        long last = Interlocked.Read(ref _lastObserved);
        if (last != 0 && host.Clock.GetElapsedTime(last, now) < TimeSpan.FromMinutes(1)) return false;
        return Interlocked.CompareExchange(ref _lastObserved, now, last) == last;
    }

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
        if (_sessions.Count >= limits.MaxPeers)
            throw new MeshException(MeshError.TooManyConnections, $"The limit of {limits.MaxPeers} peers is reached (EventMesh:Limits:MaxPeers).");
        if (transport.IsDialer) return;
        int inbound = 0, sameSource = 0;
        IPAddress source = EndpointCodec.Normalize(transport.RemoteEndPoint.Address);
        foreach (PeerSession session in _sessions.Values)
        {
            if (session.FirstInboundFrom is not { } from) continue;
            inbound++;
            if (AddressScope.IsSameSource(from, source)) sameSource++;
        }
        int perSource = AddressScope.IsGlobal(source) ? limits.MaxConnectionsPerSource : limits.MaxConnectionsPerPrivateSource;
        if (inbound >= limits.MaxInboundPeers || sameSource >= perSource)
            throw new MeshException(MeshError.TooManyConnections, $"Too many inbound peers, or too many of {source}.");
    }
}
