using System.Diagnostics;
using System.Net;
using EventMesh.Diagnostics;
using EventMesh.Events;
using EventMesh.Identity;
using EventMesh.Messaging;
using EventMesh.Transport;
using EventMesh.Wire;

namespace EventMesh.Sessions.Internal;

/// <summary>Dials peers, from the first packet until they have joined, and records what failed.</summary>
internal sealed class Dialer(ISessionHost host, SessionTable table, ITransportEndpoint endpoint, ITransportEndpoint probe)
{
    // Doubled with each try: the peer's own dial is here after a round trip or two, later where packets are lost.
    private static readonly TimeSpan CrossingPause = TimeSpan.FromMilliseconds(10);

    // Once a process: each is a line in the operator's log.
    private int _wasRefusedAsDuplicate;

    /// <summary>Dials an address and waits until the peer there has joined.</summary>
    /// <exception cref="MeshException">Why it did not; it is in the log, unless the dial was cancelled.</exception>
    public async Task<PeerInfo> DialAsync(IPEndPoint remote, PeerId? expected, DiscoverySource source, CancellationToken cancellationToken)
    {
        if (expected is { } known && table.TryGet(known, out PeerSession? existing) && existing.Info is { } joined) return joined;
        // Not made, and so not in the log: what peers tell of blocked addresses must not fill it.
        host.Trust.ThrowIfBlocked(remote, expected);
        using Activity? activity = StartDial(remote, source);
        long started = host.Clock.GetTimestamp();
        try
        {
            PeerInfo peer = await DialCoreAsync(remote, expected, source, Timeout.InfiniteTimeSpan, cancellationToken).ConfigureAwait(false);
            MeshMetrics.HandshakeDuration.Record(host.Clock.GetElapsedTime(started).TotalSeconds);
            activity?.SetTag(MeshTelemetry.Attributes.Peer, peer.Peer.ToShortString());
            return peer;
        }
        catch (MeshException e)
        {
            activity?.SetStatus(ActivityStatusCode.Error, e.Message);
            activity?.SetTag(MeshTelemetry.Attributes.ErrorType, e.Error.ToString());
            MeshMetrics.DialFailures.Add(1, new KeyValuePair<string, object?>(MeshTelemetry.Attributes.ErrorType, e.Error.ToString()));
            Log.DialFailed(host.Logger, remote.ToString(), e.Error, e.Message);
            if (e.Error == MeshError.DuplicateIdentity && Interlocked.Exchange(ref _wasRefusedAsDuplicate, 1) == 0)
                Log.RefusedAsDuplicate(host.Logger, remote.ToString());
            host.OnDialFailed(new DialFailed(remote, expected, e.Error, e.Message));
            throw;
        }
    }

    /// <summary>Dials a lost peer once more. Only success is recorded: a try each second would fill the log and count against the peer.</summary>
    /// <param name="remote">Where it was.</param>
    /// <param name="expected">The peer.</param>
    /// <param name="connectLimit">How long the transport's handshake may take.</param>
    /// <param name="cancellationToken">Cancels the dial.</param>
    /// <exception cref="MeshException">Why it did not join.</exception>
    public async Task<PeerInfo> RedialAsync(IPEndPoint remote, PeerId expected, TimeSpan connectLimit, CancellationToken cancellationToken)
    {
        if (table.TryGet(expected, out PeerSession? existing) && existing.Info is { } joined) return joined;
        return await DialCoreAsync(remote, expected, DiscoverySource.Cache, connectLimit, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Proves, from the socket of reverse checks, that a peer answers at an address; the connection ends with that.</summary>
    /// <exception cref="MeshException">It does not.</exception>
    public async Task ProbeAsync(IPEndPoint remote, PeerId expected, CancellationToken cancellationToken)
    {
        ITransportConnection transport = await probe.ConnectAsync(remote, cancellationToken).ConfigureAwait(false);
        bool isExpected = transport.PeerId == expected;
        await transport.CloseAsync((ulong)(isExpected ? WireCode.None : WireCode.WrongPeer)).ConfigureAwait(false);
        await transport.DisposeAsync().ConfigureAwait(false);
        if (!isExpected) throw new MeshException(MeshError.WrongPeer, "Another peer answers there.");
    }

    /// <summary>
    /// Dials a peer back that has dialled us: only its observed address, at most two of the ports that it announced, from a socket of its own,
    /// since from the listening port it would ride on the NAT state that the first connection opened and prove nothing.
    /// </summary>
    public async Task CheckReverseAsync(PeerSession session, PeerConnection first, Guid linkId, CancellationToken cancellationToken)
    {
        using var limit = new CancellationTokenSource(host.Options.Bootstrap.ReverseCheckTimeout, host.Clock);
        using var both = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, cancellationToken);
        IPAddress address = first.RemoteEndPoint.Address;
        var failure = new MeshException(MeshError.ReverseCheckFailed, "The peer announced no port.");
        foreach (int port in first.AnnouncedPorts)
        {
            try
            {
                ITransportConnection transport = await probe.ConnectAsync(new IPEndPoint(address, port), both.Token).ConfigureAwait(false);
                if (transport.PeerId != session.Peer)
                {
                    await transport.CloseAsync((ulong)WireCode.WrongPeer).ConfigureAwait(false);
                    await transport.DisposeAsync().ConfigureAwait(false);
                    failure = new MeshException(MeshError.WrongPeer, "Another peer answers at the announced port.");
                    continue;
                }
                await JudgeAsync(transport, new IPEndPoint(address, port)).ConfigureAwait(false);
                await AttachAsync(transport, DiscoverySource.Inbound, isReverse: true, linkId).ConfigureAwait(false);
                return;
            }
            catch (MeshException e)
            {
                failure = e;
            }
            catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
            {
                failure = new MeshException(MeshError.Unreachable, "The reverse check ran out of time.");
            }
        }
        throw failure;
    }

    private async Task<PeerInfo> DialCoreAsync(
        IPEndPoint remote, PeerId? expected, DiscoverySource source, TimeSpan connectLimit, CancellationToken cancellationToken)
    {
        long started = host.Clock.GetTimestamp();
        for (int attempt = 0; ; attempt++)
        {
            if (await TryDialAsync(remote, expected, source, connectLimit, cancellationToken).ConfigureAwait(false) is { } peer) return peer;
            // An earlier connection is on its way out, or a dial of the peer's that crosses ours is on its way in: the next try finds it gone or joins with it.
            TimeSpan pause = CrossingPause * (1 << Math.Min(attempt, 10)) * (0.5 + Random.Shared.NextDouble());
            if (host.Clock.GetElapsedTime(started) + pause > host.Options.Transport.HandshakeTimeout)
                throw new MeshException(MeshError.ConnectionLost, $"Other connections with the peer at {remote} took precedence and ended before it joined.");
            await Task.Delay(pause, host.Clock, cancellationToken).ConfigureAwait(false);
        }
    }

    /// <summary>Dials once; null when another connection with the peer took precedence and ended before the peer had joined.</summary>
    private async Task<PeerInfo?> TryDialAsync(
        IPEndPoint remote, PeerId? expected, DiscoverySource source, TimeSpan connectLimit, CancellationToken cancellationToken)
    {
        ITransportConnection transport = await ConnectAsync(remote, connectLimit, cancellationToken).ConfigureAwait(false);
        MeshException? refusal = transport.PeerId == host.LocalPeer
            ? new MeshException(MeshError.ConnectionToSelf, $"{remote} is this node itself.")
            : expected is { } peer && !host.Journal.State.Keys.AreSame(peer, transport.PeerId)
                ? new MeshException(MeshError.WrongPeer, $"At {remote} is peer {transport.PeerId.ToShortString()}, not {peer.ToShortString()}.")
                : host.Trust.PinRefusal(remote, transport.PeerId);
        if (refusal is not null)
        {
            WireCode code = refusal.Error == MeshError.ConnectionToSelf ? WireCode.ConnectionToSelf : WireCode.WrongPeer;
            await transport.CloseAsync((ulong)code).ConfigureAwait(false);
            await transport.DisposeAsync().ConfigureAwait(false);
            throw refusal;
        }
        await JudgeAsync(transport, remote).ConfigureAwait(false);
        (PeerSession session, PeerConnection connection) = await AttachAsync(transport, source, isReverse: false).ConfigureAwait(false);
        Task<PeerInfo> joined = session.Joined;
        try
        {
            PeerInfo? info = await JoinedOrRefusedAsync(session, joined, connection, remote, cancellationToken).ConfigureAwait(false);
            if (info is not null && source == DiscoverySource.Contact) host.Trust.OnContactJoined(remote, session.Peer);
            return info;
        }
        catch (OperationCanceledException)
        {
            if (!joined.IsCompletedSuccessfully) await connection.CloseAsync(WireCode.Disconnected).ConfigureAwait(false);
            throw;
        }
    }

    /// <summary>Judges the certificates of a connection whose streams nobody has read yet; closes it when they are refused.</summary>
    /// <exception cref="MeshException">They are, or too many wait for their verdict.</exception>
    private async Task JudgeAsync(ITransportConnection transport, IPEndPoint remote)
    {
        WireCode code = WireCode.TooManyConnections;
        try
        {
            if (await host.Gate.JudgeAsync(transport).ConfigureAwait(false) is not { } refusal) return;
            code = WireCode.CertificateRefused;
            host.Gate.Report(transport, refusal);
            throw refusal.ToException($"The certificate of peer {transport.PeerId.ToShortString()} at {remote}");
        }
        catch (MeshException)
        {
            await transport.CloseAsync((ulong)code).ConfigureAwait(false);
            await transport.DisposeAsync().ConfigureAwait(false);
            throw;
        }
    }

    private async Task<ITransportConnection> ConnectAsync(IPEndPoint remote, TimeSpan connectLimit, CancellationToken cancellationToken)
    {
        if (connectLimit == Timeout.InfiniteTimeSpan) return await endpoint.ConnectAsync(remote, cancellationToken).ConfigureAwait(false);
        using var limit = new CancellationTokenSource(connectLimit, host.Clock);
        using var both = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, cancellationToken);
        try
        {
            return await endpoint.ConnectAsync(remote, both.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            throw new MeshException(MeshError.Unreachable, $"Nobody answered at {remote} in {connectLimit.TotalSeconds:F0} s.");
        }
    }

    private async Task<PeerInfo?> JoinedOrRefusedAsync(
        PeerSession session, Task<PeerInfo> joined, PeerConnection connection, IPEndPoint remote, CancellationToken cancellationToken)
    {
        Task first = await Task.WhenAny(joined, connection.Transport.Closed).WaitAsync(cancellationToken).ConfigureAwait(false);
        if (first == joined) return await joined.ConfigureAwait(false);
        TransportCloseInfo info = await connection.Transport.Closed.ConfigureAwait(false);
        // Once the session has taken note: the caller's next dial must not find this one's remains and take them for a dial under way.
        await connection.Completion.WaitAsync(cancellationToken).ConfigureAwait(false);
        WireCode? code = connection.RefusedWith ?? connection.CloseCode ?? (info.ApplicationCode is { } sent ? (WireCode)sent : null);
        if (code is WireCode.SimultaneousDial or WireCode.AlreadyConnected)
        {
            // Another connection with the same peer was faster; its outcome is ours.
            try
            {
                await Task.WhenAny(joined, session.Completion).WaitAsync(host.Options.Transport.HandshakeTimeout, host.Clock, cancellationToken)
                    .ConfigureAwait(false);
                return joined.IsCompletedSuccessfully ? await joined.ConfigureAwait(false) : null;
            }
            catch (TimeoutException)
            {
                throw new MeshException(MeshError.Timeout, $"Peer {session.Peer.ToShortString()} at {remote} did not join in time.");
            }
        }
        MeshError error = info.Error switch
        {
            MeshError.ClosedByPeer or MeshError.Aborted when code is { } known => known.ToMeshError(),
            MeshError.Aborted => MeshError.NodeStopped,
            var other => other,
        };
        if (connection.RefusalReason is { } reason)
            throw new MeshException(error, $"Peer {session.Peer.ToShortString()} at {remote} was refused on this side: {reason}.");
        throw new MeshException(error, $"Peer {session.Peer.ToShortString()} at {remote} refused the connection: {code?.ToString() ?? info.Detail}.")
        {
            RemoteCode = (ulong?)code,
        };
    }

    private async Task<(PeerSession Session, PeerConnection Connection)> AttachAsync(
        ITransportConnection transport, DiscoverySource source, bool isReverse, Guid checkedLink = default)
    {
        try
        {
            return table.Attach(transport, source, isReverse, checkedLink);
        }
        catch (MeshException e)
        {
            await transport.CloseAsync((ulong)SessionTable.CodeOf(e)).ConfigureAwait(false);
            await transport.DisposeAsync().ConfigureAwait(false);
            throw;
        }
    }

    private static Activity? StartDial(IPEndPoint remote, DiscoverySource source)
    {
        if (!MeshTelemetry.Source.HasListeners()) return null;
        Activity? activity = MeshTelemetry.Source.StartActivity("dial", ActivityKind.Client);
        activity?.SetTag(MeshTelemetry.Attributes.PeerAddress, remote.Address.ToString());
        activity?.SetTag(MeshTelemetry.Attributes.NetworkTransport, "quic");
        activity?.SetTag("eventmesh.discovery.source", source.ToString());
        return activity;
    }
}
