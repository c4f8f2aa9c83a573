using System.Net;
using EventMesh.Events;
using EventMesh.Identity;
using EventMesh.Sessions.Internal;
using EventMesh.Wire;
using EventMesh.Wire.Frames;
using Google.Protobuf;

namespace EventMesh.Bootstrap.Internal;

/// <summary>
/// Finds out at which endpoint others see our listening socket: by the agreement of peers in different networks, or by a peer that dials us back there on
/// request. Answers such requests of others.
/// </summary>
internal sealed class ObservedAddress(ISessionHost host, SessionTable table, Dialer dialer, bool dialsFromListeningSocket, CancellationToken stopping)
{
    private static readonly TimeSpan AcceptInterval = TimeSpan.FromMinutes(1);
    private static readonly TimeSpan AskInterval = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan AnswerInterval = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan AnswerIntervalPerPeer = TimeSpan.FromMinutes(1);
    private static readonly TimeSpan DialBackLimit = TimeSpan.FromSeconds(5);

    private readonly Lock _mutex = new();
    private Question? _asked;
    private long _lastAccepted;
    private long _lastAsked;
    private long _lastAnswered;

    private sealed record Question(PeerId Peer, Guid Nonce, IPEndPoint Endpoint, long At);

    /// <summary>A peer has joined or said where it sees us: looks whether that settles it, and asks for proof otherwise.</summary>
    public void Look()
    {
        // Dials from another socket say nothing about the listening one.
        if (!dialsFromListeningSocket || host.ListenEndPoints.Count == 0) return;
        ObservedClaim[] claims = [.. Claims()];
        if (ObservedDecisions.Agreed(claims) is { } agreed)
        {
            Accept(agreed);
            return;
        }
        if (ObservedDecisions.Unproven(claims, host.Journal.State.Node.ObservedEndPoint) is not { } unproven) return;
        PeerSession? witness = table.Sessions().FirstOrDefault(
            session => session.Info is { Kind: PeerKind.Node } && !claims.Any(claim => claim.Peer == session.Peer && claim.Endpoint.Equals(unproven)));
        if (witness is null) return;
        Question question;
        lock (_mutex)
        {
            if (_lastAsked != 0 && host.Clock.GetElapsedTime(_lastAsked) < AskInterval) return;
            _lastAsked = host.Clock.GetTimestamp();
            _asked = question = new Question(witness.Peer, Guid.NewGuid(), unproven, _lastAsked);
        }
        table.Tasks.TryRun(static s => s.Witness.AskForDialBackAsync(s.Nonce, s.Endpoint), (Witness: witness, question.Nonce, question.Endpoint));
    }

    /// <summary>A peer says how its dial-back ended.</summary>
    public void OnTold(PeerId peer, DialBackResult result)
    {
        Question? question;
        lock (_mutex)
        {
            // An answer that nobody asked for, of another peer or too late, is worth nothing.
            if (_asked is null || _asked.Peer != peer || !result.Nonce.Span.SequenceEqual(_asked.Nonce.ToByteArray(bigEndian: true))) return;
            (question, _asked) = (_asked, null);
        }
        if (result.Code == 0 && host.Clock.GetElapsedTime(question.At) < DialBackLimit * 2)
            Accept(new ObservedClaim(peer, IPAddress.None, question.Endpoint));
    }

    /// <summary>Dials a peer back that asks for it, from the socket of reverse checks: once a minute for a peer, once a second for all.</summary>
    public async Task AnswerAsync(PeerSession session, PeerConnection connection, DialBackRequest request)
    {
        WireCode code = WireCode.ReverseCheckFailed;
        if (EndpointCodec.FromFrame(request.Endpoint) is { } asked && connection.RemoteHello is { } hello
            && ObservedDecisions.MayDialBack(asked, connection.RemoteEndPoint, hello.Listen.Select(endpoint => endpoint.Port)))
            code = TryTakeTurn(session) ? await DialBackAsync(session.Peer, asked).ConfigureAwait(false) : WireCode.Busy;
        try
        {
            await connection.SendControlAsync(FrameType.DialBackResult, new DialBackResult { Nonce = request.Nonce, Code = (ulong)code }).ConfigureAwait(false);
        }
        catch (Exception e) when (e is MeshException or OperationCanceledException or ObjectDisposedException)
        {
            // The connection has ended.
        }
    }

    private bool TryTakeTurn(PeerSession session)
    {
        lock (_mutex)
        {
            long now = host.Clock.GetTimestamp();
            if (_lastAnswered != 0 && host.Clock.GetElapsedTime(_lastAnswered, now) < AnswerInterval) return false;
            if (session.LastDialBack != 0 && host.Clock.GetElapsedTime(session.LastDialBack, now) < AnswerIntervalPerPeer) return false;
            _lastAnswered = session.LastDialBack = now;
            return true;
        }
    }

    private async Task<WireCode> DialBackAsync(PeerId peer, IPEndPoint endpoint)
    {
        using var limit = new CancellationTokenSource(DialBackLimit, host.Clock);
        using var both = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, stopping);
        try
        {
            await dialer.ProbeAsync(endpoint, peer, both.Token).ConfigureAwait(false);
            return WireCode.None;
        }
        catch (Exception e) when (e is MeshException or OperationCanceledException or ObjectDisposedException)
        {
            return WireCode.ReverseCheckFailed;
        }
    }

    private void Accept(ObservedClaim claim)
    {
        if (claim.Endpoint.Equals(host.Journal.State.Node.ObservedEndPoint)) return;
        lock (_mutex)
        {
            if (_lastAccepted != 0 && host.Clock.GetElapsedTime(_lastAccepted) < AcceptInterval) return;
            _lastAccepted = host.Clock.GetTimestamp();
        }
        host.Journal.Decide(state => ObservedDecisions.Observed(state, claim));
    }

    private IEnumerable<ObservedClaim> Claims()
    {
        foreach (PeerSession session in table.Sessions())
        {
            if (session.Info is { } peer && session.ObservedUs is { } endpoint) yield return new ObservedClaim(peer.Peer, peer.Remote.Address, endpoint);
        }
    }
}
