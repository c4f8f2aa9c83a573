using System.Collections.Concurrent;
using System.Net;
using EventMesh.Events;
using EventMesh.Identity;
using EventMesh.Wire;
using EventMesh.Wire.Frames;

namespace EventMesh.Sessions.Internal;

/// <summary>The control frames of the peer, checked before they become inputs.</summary>
internal sealed partial class PeerSession
{
    private readonly ConcurrentDictionary<ulong, TaskCompletionSource> _pings = [];
    private long _nextPing;
    private long _lastPeersAnswer;
    private int _hasAsked;
    private int _isDiallingBack;
    private int _wasToldOfDuplicate;
    private PeerConnection? _askedEarly;

    public async Task OnControlFrameAsync(PeerConnection connection, Frame frame)
    {
        if (connection.RemoteHello is null && frame.Type is not (FrameType.Hello or FrameType.HelloAck) && !frame.IsOptional)
            throw Violation("A frame before the Hello.");
        // These answer what we sent, and are as many.
        if (frame.Type is not (FrameType.Outcome or FrameType.Credit or FrameType.ChannelAck) && !Intake.TryTakeControl())
            throw new MeshException(MeshError.RateLimited, "Too many control frames.");
        // A Pong may overtake our verdict's answer: the side that has sent its verdict may ping.
        if (!connection.HasVerdict && frame.Type is not (FrameType.Hello or FrameType.HelloAck or FrameType.Pong) && !frame.IsOptional)
            throw Violation("A frame before the verdict.");
        switch (frame.Type)
        {
            case FrameType.Hello:
                OnHello(connection, FrameWriter.Parse(Hello.Parser, frame.Body));
                // A dialer's Hello is judged now; an acceptor's together with its verdict, which follows.
                if (!connection.IsDialer) await PostHelloAsync(connection).ConfigureAwait(false);
                break;
            case FrameType.HelloAck:
                await OnHelloAckAsync(connection, FrameWriter.Parse(HelloAck.Parser, frame.Body)).ConfigureAwait(false);
                break;
            case FrameType.ReverseCheck:
                if (FrameWriter.Parse(ReverseCheck.Parser, frame.Body).Code is not 0 and var verdict)
                {
                    await PostAsync(new SessionInput.ReverseCheckReported(connection.Id, (WireCode)verdict != WireCode.CheckedRecently))
                        .ConfigureAwait(false);
                }
                break;
            case FrameType.Ping:
                await connection.SendControlAsync(FrameType.Pong, new Pong { Nonce = FrameWriter.Parse(Ping.Parser, frame.Body).Nonce })
                    .ConfigureAwait(false);
                break;
            case FrameType.Pong:
                if (_pings.TryRemove(FrameWriter.Parse(Pong.Parser, frame.Body).Nonce, out TaskCompletionSource? waiting)) waiting.TrySetResult();
                break;
            case FrameType.PeersRequest:
                await AnswerPeersAsync(connection, FrameWriter.Parse(PeersRequest.Parser, frame.Body)).ConfigureAwait(false);
                break;
            case FrameType.Peers:
                OnPeers(FrameWriter.Parse(Peers.Parser, frame.Body));
                break;
            case FrameType.DialBackRequest:
                OnDialBackRequest(connection, FrameWriter.Parse(DialBackRequest.Parser, frame.Body));
                break;
            case FrameType.DialBackResult:
                if (Info is not null) Host.OnDialBackTold(Peer, FrameWriter.Parse(DialBackResult.Parser, frame.Body));
                break;
            case FrameType.Outcome:
                OnOutcome(FrameWriter.Parse(Outcome.Parser, frame.Body));
                break;
            case FrameType.Credit:
                Credit credit = FrameWriter.Parse(Credit.Parser, frame.Body);
                SenderOn(connection)?.OnCredit(credit.Sequence, credit.Granted);
                break;
            case FrameType.ChannelAck:
                ChannelAck ack = FrameWriter.Parse(ChannelAck.Parser, frame.Body);
                SenderOn(connection)?.OnChannelAck(ack.Number, ack.Received);
                break;
            case FrameType.Notice:
                await OnNoticeAsync((WireCode)FrameWriter.Parse(Notice.Parser, frame.Body).Code).ConfigureAwait(false);
                break;
            case FrameType.KindChanged:
                await OnKindChangedAsync(connection, FrameWriter.Parse(KindChanged.Parser, frame.Body)).ConfigureAwait(false);
                break;
            case FrameType.Goodbye:
                // The close follows; what waits to be sent would not be read any more.
                StopSending();
                ExpectClose(connection);
                break;
            default:
                if (!frame.IsOptional)
                    throw new MeshException(MeshError.ProtocolViolation, $"A frame of type {(ulong)frame.Type} on the control stream.");
                break;
        }
    }

    private static void OnHello(PeerConnection connection, Hello hello)
    {
        if (connection.RemoteHello is not null) throw Violation("A second Hello.");
        if (HelloCheck.FaultOf(hello) is { } fault) throw Violation(fault);
        connection.AnnouncedPorts = PortsOf(hello.Listen);
        connection.RemoteHello = hello;
    }

    private async Task PostHelloAsync(PeerConnection connection)
    {
        Hello hello = connection.RemoteHello!;
        if (!string.Equals(hello.Mesh, Host.Options.MeshName, StringComparison.Ordinal))
        {
            await RefuseAsync(connection, WireCode.WrongMesh).ConfigureAwait(false);
            return;
        }
        if (Host.Gate.JudgeName(connection.Transport, hello.DnsName) is { } refusal)
        {
            Host.Gate.Report(connection.Transport, refusal);
            connection.RefusalReason = refusal.Reason;
            await RefuseAsync(connection, WireCode.CertificateRefused).ConfigureAwait(false);
            return;
        }
        if (JudgeSuccession(connection, hello) is { } code)
        {
            await RefuseAsync(connection, code).ConfigureAwait(false);
            return;
        }
        await PostAsync(new SessionInput.HelloReceived(
            connection.Id, hello.Kind == Kind.Node ? PeerKind.Node : PeerKind.Client, new Guid(hello.Instance.Span, bigEndian: true),
            new Guid(hello.LinkId.Span, bigEndian: true), hello.Reverse, IsAnswer: connection.IsDialer)).ConfigureAwait(false);
    }

    private async Task OnHelloAckAsync(PeerConnection connection, HelloAck ack)
    {
        // A refusal that comes late would end the connection with a code of the peer's choice, and say in our log that it was ours.
        if (connection.HasVerdict) throw Violation("A second verdict.");
        if (ack.Code != 0)
        {
            // The peer closes with the same code; whichever arrives first tells.
            if (ack.Code > VarInt.MaxValue) throw Violation("A verdict with a code that can't be one.");
            connection.RefusedWith = (WireCode)ack.Code;
            await connection.CloseAsync((WireCode)ack.Code).ConfigureAwait(false);
            return;
        }
        if (connection.RemoteHello is null) throw Violation("An Accepted before the Hello.");
        connection.HasVerdict = true;
        if (connection.IsDialer) await PostHelloAsync(connection).ConfigureAwait(false);
        else await PostAsync(new SessionInput.AcceptReceived(connection.Id)).ConfigureAwait(false);
        if (connection is { IsDialer: true, IsReverse: false } && EndpointCodec.FromFrame(ack.Observed) is { } observed)
        {
            ObservedUs = observed;
            Host.OnObserved();
        }
    }

    /// <summary>Asks the peer to dial us back; the answer comes to <see cref="ISessionHost.OnDialBackTold"/>.</summary>
    public async Task AskForDialBackAsync(Guid nonce, IPEndPoint endpoint)
    {
        if (First() is not { } connection) return;
        try
        {
            var request = new DialBackRequest { Nonce = Google.Protobuf.ByteString.CopyFrom(nonce.ToByteArray(bigEndian: true)), Endpoint = EndpointCodec.ToFrame(endpoint) };
            await connection.SendControlAsync(FrameType.DialBackRequest, request).ConfigureAwait(false);
        }
        catch (Exception e) when (e is MeshException or OperationCanceledException or ObjectDisposedException)
        {
            // The connection has ended.
        }
    }

    private void OnDialBackRequest(PeerConnection connection, DialBackRequest request)
    {
        if (request.Nonce.Length != 16) throw Violation("A request to dial back without a nonce.");
        // One at a time for a peer: a second request before the first is answered is dropped.
        if (Info is null || Interlocked.Exchange(ref _isDiallingBack, 1) != 0) return;
        bool isRunning = _table.Tasks.TryRun(static async s =>
        {
            await s.Session.Host.AnswerDialBackAsync(s.Session, s.Connection, s.Request).ConfigureAwait(false);
            Volatile.Write(ref s.Session._isDiallingBack, 0);
        }, (Session: this, Connection: connection, Request: request));
        if (!isRunning) Volatile.Write(ref _isDiallingBack, 0);
    }

    private async Task AnswerPeersAsync(PeerConnection connection, PeersRequest request)
    {
        if (!IsJoined())
        {
            // The peer knows that the pair stands a moment before we do: the join answers it.
            Volatile.Write(ref _askedEarly, connection);
            if (!IsJoined() || Interlocked.Exchange(ref _askedEarly, null) is null) return;
        }
        long now = Host.Clock.GetTimestamp();
        long last = Interlocked.Read(ref _lastPeersAnswer);
        if (last != 0 && Host.Clock.GetElapsedTime(last, now) < TimeSpan.FromSeconds(1)) return;
        Interlocked.Exchange(ref _lastPeersAnswer, now);
        Peers peers = Host.AnswerPeers(Peer, connection.RemoteEndPoint.Address, (int)Math.Min(request.Max, WireLimits.Peers));
        await connection.SendControlAsync(FrameType.Peers, peers).ConfigureAwait(false);
    }

    // A call, since another thread may join the peer between two looks.
    private bool IsJoined() => Info is not null;

    private void OnPeers(Peers peers)
    {
        if (peers.Peers_.Count > WireLimits.Peers) throw Violation("Too many peers in one answer.");
        // Only what was asked for: each record may cost us a dial.
        if (Info is not null && Interlocked.Exchange(ref _hasAsked, 0) == 1) Host.OnPeersTold(this, peers);
    }

    /// <summary>Answers what the peer asked a moment before it had joined for us too.</summary>
    private void AnswerEarlyRequest()
    {
        if (Interlocked.Exchange(ref _askedEarly, null) is not { } connection) return;
        _table.Tasks.TryRun(static async state =>
        {
            try
            {
                await state.Session.AnswerPeersAsync(state.Connection, new PeersRequest { Max = WireLimits.Peers }).ConfigureAwait(false);
            }
            catch (Exception e) when (e is MeshException or OperationCanceledException or ObjectDisposedException)
            {
                // The connection has ended.
            }
        }, (Session: this, Connection: connection));
    }

    /// <summary>Asks for peers; the answer comes to <see cref="ISessionHost.OnPeersTold"/>.</summary>
    public async Task AskForPeersAsync()
    {
        // The peer that joined may have gone and come again: what is first now may not have said Hello yet.
        if (First() is not { Standing.IsCompletedSuccessfully: true } connection) return;
        Volatile.Write(ref _hasAsked, 1);
        try
        {
            await connection.SendControlAsync(FrameType.PeersRequest, new PeersRequest { Max = WireLimits.Peers }).ConfigureAwait(false);
        }
        catch (Exception e) when (e is MeshException or OperationCanceledException or ObjectDisposedException)
        {
            // The connection has ended.
        }
    }

    private async Task<bool> PingAsync(PeerConnection connection, TimeSpan limit)
    {
        ulong nonce = (ulong)Interlocked.Increment(ref _nextPing);
        TaskCompletionSource answered = _pings[nonce] = new(TaskCreationOptions.RunContinuationsAsynchronously);
        try
        {
            await connection.SendControlAsync(FrameType.Ping, new Ping { Nonce = nonce }).WaitAsync(limit, Host.Clock).ConfigureAwait(false);
            await answered.Task.WaitAsync(limit, Host.Clock, connection.Ended).ConfigureAwait(false);
            return true;
        }
        catch (Exception e) when (e is MeshException or TimeoutException or OperationCanceledException or ObjectDisposedException)
        {
            return false;
        }
        finally
        {
            _pings.TryRemove(nonce, out _);
        }
    }

    private static MeshException Violation(string detail) => new(MeshError.ProtocolViolation, detail);
}
