using System.Net;
using EventMesh.Diagnostics;
using EventMesh.Events;
using EventMesh.Identity;
using EventMesh.Messaging;
using EventMesh.Wire;
using EventMesh.Wire.Frames;
using Google.Protobuf;
using Notifications = EventMesh.Notifications;

namespace EventMesh.Sessions.Internal;

/// <summary>What the session's state asks for.</summary>
internal sealed partial class PeerSession
{
    private async Task DoAsync(SessionAction action)
    {
        try
        {
            switch (action)
            {
                case SessionAction.SendHello a when Find(a.Connection) is { } connection:
                    await connection.SendControlAsync(FrameType.Hello, MakeHello(a.LinkId, a.IsReverse)).ConfigureAwait(false);
                    break;
                case SessionAction.SendHelloAndAccept a when Find(a.Connection) is { } connection:
                    await connection.SendControlAsync(
                        FrameType.Hello, MakeHello(a.LinkId, a.IsReverse), FrameType.HelloAck, MakeAccept(connection)).ConfigureAwait(false);
                    break;
                case SessionAction.SendAccept a when Find(a.Connection) is { } connection:
                    await connection.SendControlAsync(FrameType.HelloAck, MakeAccept(connection)).ConfigureAwait(false);
                    break;
                case SessionAction.Refuse a when Find(a.Connection) is { } connection:
                    await RefuseAsync(connection, a.Code).ConfigureAwait(false);
                    break;
                case SessionAction.Close a when Find(a.Connection) is { } connection:
                    await connection.CloseAsync(a.Code).ConfigureAwait(false);
                    break;
                case SessionAction.RecordOpened a when Find(a.Connection) is { } connection:
                    RecordOpened(connection);
                    break;
                case SessionAction.RecordClosed a when Find(a.Connection) is { } connection:
                    RecordClosed(connection, a.Reason);
                    break;
                case SessionAction.StartReverseCheck a when Find(a.Connection) is { } connection:
                    // A new session is a peer that has left before, if it ever was here.
                    if (Info is null) _checks.Restart(connection.RemoteEndPoint.Address);
                    _table.Tasks.TryRun(
                        static s => s.Session.CheckReverseAsync(s.Connection, s.LinkId), (Session: this, Connection: connection, a.LinkId));
                    break;
                case SessionAction.AwaitReverseConnection a when First() is { } connection:
                    _table.Tasks.TryRun(
                        static s => s.Session.WatchReverseAsync(s.Connection, s.LinkId), (Session: this, Connection: connection, a.LinkId));
                    break;
                case SessionAction.RecordReverseConfirmed a when Find(a.Connection) is { } connection:
                    Host.Journal.Record(new ReverseConnectivityConfirmed(Peer, connection.RemoteEndPoint));
                    break;
                case SessionAction.ReportReverseFailed a when Find(a.Connection) is { } connection:
                    Host.Journal.Record(new ReverseConnectivityFailed(Peer, [connection.RemoteEndPoint], a.Error));
                    _checkFailure = a.Error;
                    Log.ReverseCheckFailed(Host.Logger, Peer.ToShortString(), a.Error);
                    await connection.SendControlAsync(
                        FrameType.ReverseCheck, new ReverseCheck { Code = (ulong)WireCode.ReverseCheckFailed }).ConfigureAwait(false);
                    break;
                case SessionAction.NoteReachability a:
                    NoteReachability(a.IsReachable);
                    break;
                case SessionAction.PingOldConnection a when Find(a.Connection) is { } connection:
                    _table.Tasks.TryRun(
                        static s => s.Session.PingOldAsync(s.Connection, s.Contender), (Session: this, Connection: connection, a.Contender));
                    break;
                case SessionAction.NotifyDuplicate a when Find(a.Connection) is { } connection:
                    await connection.SendControlAsync(FrameType.Notice, new Notice { Code = (ulong)WireCode.DuplicateIdentity }).ConfigureAwait(false);
                    break;
                case SessionAction.Move a when Find(a.SendOn) is { } connection:
                    Move(connection, a.Kind);
                    break;
                case SessionAction.Retire a when Find(a.Connection) is { } connection:
                    _table.Tasks.TryRun(static s => s.Session.RetireAsync(s.Connection), (Session: this, Connection: connection));
                    break;
                case SessionAction.SendKindChanged a when Find(a.Connection) is { } connection:
                    await connection.SendControlAsync(FrameType.KindChanged, MakeKindChanged(a.Kind, a.LinkId)).ConfigureAwait(false);
                    break;
                case SessionAction.DeclineCheck a when Find(a.Connection) is { } connection:
                    await connection.SendControlAsync(
                        FrameType.ReverseCheck, new ReverseCheck { Code = (ulong)WireCode.CheckedRecently }).ConfigureAwait(false);
                    break;
                case SessionAction.RequestCheck a when Find(a.Connection) is { } connection:
                    await connection.SendControlAsync(FrameType.Notice, new Notice { Code = (ulong)WireCode.AddressChanged }).ConfigureAwait(false);
                    break;
                case SessionAction.AskLater a when Find(a.Connection) is { } connection:
                    AskLater(connection);
                    break;
                case SessionAction.Join a when Find(a.SendOn) is { } connection:
                    Join(connection, a.Kind);
                    break;
                case SessionAction.Leave a:
                    Leave(a.Reason);
                    break;
                default:
                    break;
            }
        }
        catch (Exception e) when (e is MeshException or OperationCanceledException or ObjectDisposedException)
        {
            // The connection has ended meanwhile: its own input follows.
        }
    }

    private PeerConnection? First() => _state.First is { } first ? Find(first.Connection) : null;

    private Hello MakeHello(Guid linkId, bool isReverse)
    {
        var hello = new Hello
        {
            Mesh = Host.Options.MeshName,
            Kind = Host.Options.Kind == PeerKind.Node ? Kind.Node : Kind.Client,
            Agent = MeshAgent.Name,
            MaxMessage = (ulong)Host.Options.Limits.MaxMessageBytes,
            Instance = ByteString.CopyFrom(Host.Instance.ToByteArray(bigEndian: true)),
            LinkId = ByteString.CopyFrom(linkId.ToByteArray(bigEndian: true)),
            Reverse = isReverse,
            DnsName = Host.Options.Trust.DnsName ?? "",
        };
        hello.Succession.AddRange(Host.Succession.TakeLast(WireLimits.Successions).Select(Trust.Internal.KeySuccessionCodec.ToFrame));
        hello.Listen.AddRange(Host.ListenEndPoints.Take(WireLimits.ListenEndpoints).Select(EndpointCodec.ToFrame));
        return hello;
    }

    private static HelloAck MakeAccept(PeerConnection connection) => new() { Observed = EndpointCodec.ToFrame(connection.RemoteEndPoint) };

    private async Task RefuseAsync(PeerConnection connection, WireCode code)
    {
        MeshMetrics.InboundRefusals.Add(1, new KeyValuePair<string, object?>(MeshTelemetry.Attributes.ErrorType, code.ToMeshError().ToString()));
        Log.ConnectionRefused(Host.Logger, connection.RemoteEndPoint.ToString(), code.ToString());
        await connection.SendControlAsync(FrameType.HelloAck, new HelloAck { Code = (ulong)code }).ConfigureAwait(false);
        await connection.CloseAsync(code).ConfigureAwait(false);
    }

    private void RecordOpened(PeerConnection connection)
    {
        connection.MarkStanding();
        connection.WasRecorded = true;
        connection.OpenedTimestamp = Host.Clock.GetTimestamp();
        bool isDiscovered = connection is { IsDialer: true, IsReverse: false } && connection.Source != DiscoverySource.Cache;
        ConnectionDirection direction = connection.IsDialer ? ConnectionDirection.Outbound : ConnectionDirection.Inbound;
        // In one unit: the journal sees at the peer's first event whether it came by itself or we have chosen it.
        Host.Journal.Decide(state =>
        [
            .. Trust.TrustGate.OnAccepted(state, Peer, connection.Transport.PeerCertificate, Host.Gate.Mode),
            .. NewSuccession(state, connection),
            .. isDiscovered ? [new PeerDiscovered(Peer, connection.RemoteEndPoint, connection.Source)] : Array.Empty<IMeshEvent>(),
            new ConnectionOpened(connection.Id, Peer, connection.RemoteEndPoint, direction),
        ]);
    }

    private void RecordClosed(PeerConnection connection, CloseReason reason)
    {
        if (!connection.WasRecorded) return;
        Host.Journal.Record(new ConnectionClosed(
            connection.Id, Peer, reason, connection.BytesSent, connection.BytesReceived, connection.MessagesSent, connection.MessagesReceived,
            Host.Clock.GetElapsedTime(connection.OpenedTimestamp)));
    }

    private async Task PingOldAsync(PeerConnection old, Guid contender)
    {
        bool isAlive = await PingAsync(old, TimeSpan.FromSeconds(1)).ConfigureAwait(false);
        await TryPostAsync(isAlive ? new SessionInput.OldConnectionAlive() : new SessionInput.OldConnectionSilent(contender)).ConfigureAwait(false);
    }

    /// <summary>Posts an input; false when the session has ended.</summary>
    private async Task<bool> TryPostAsync(SessionInput input)
    {
        try
        {
            await PostAsync(input).ConfigureAwait(false);
            return true;
        }
        catch (System.Threading.Channels.ChannelClosedException)
        {
            return false;
        }
    }

    private void Join(PeerConnection sendOn, PeerKind kind)
    {
        PeerConnection first = First() ?? sendOn;
        PeerConnection proof = Connections().FirstOrDefault(c => c.IsDialer && c.WasRecorded) ?? first;
        Hello? hello = first.RemoteHello;
        IReadOnlyList<IPEndPoint> endpoints = kind == PeerKind.Node ? [proof.RemoteEndPoint] : [];
        string agent = hello?.Agent ?? "";
        RecordedEvent joined = Host.Journal.Record(new PeerJoined(Peer, RemoteInstance, kind, endpoints, agent));
        Info = new PeerInfo(Peer, kind, RemoteInstance, endpoints, sendOn.RemoteEndPoint, agent, joined.Time);
        if (kind == PeerKind.Node && proof.IsDialer) Prove(first, proof.RemoteEndPoint);
        // A node of earlier days that says it can't be dialled now, or was dialled and is not there. That our side could not dial proves nothing.
        if (kind == PeerKind.Client && (_checkFailure is not { } failure || Projections.BootstrapCacheState.CountsAgainst(failure)))
            _table.Tasks.TryRun(static s => s.Session.LeaveCacheAsync(s.First), (Session: this, First: first));
        StartSending(sendOn, hello?.MaxMessage ?? (ulong)Host.Options.Limits.MaxMessageBytes);
        foreach (PeerConnection connection in Connections().Where(c => c.WasRecorded)) connection.MarkJoined();
        MeshMetrics.ActiveSessions.Add(1);
        Log.PeerJoined(Host.Logger, Peer.ToShortString(), kind.ToString(), sendOn.RemoteEndPoint.ToString());
        Host.Dispatcher.Publish(new Notifications.PeerJoined(Info, joined, Host.Journal.IsDurable(joined)));
        lock (_mutex) _joined.TrySetResult(Info);
        AnswerEarlyRequest();
        Host.OnJoined(this);
    }

    private void Leave(CloseReason reason)
    {
        StopSending();
        PeerInfo peer = Info!;
        Info = null;
        ObservedUs = null;
        IsLeaving = false;
        lock (_mutex) _joined = new(TaskCreationOptions.RunContinuationsAsynchronously);
        RecordedEvent left = Host.Journal.Record(new PeerLeft(Peer, reason));
        MeshMetrics.ActiveSessions.Add(-1);
        Log.PeerLeft(Host.Logger, Peer.ToShortString(), reason.ToString());
        Host.Dispatcher.Publish(new Notifications.PeerLeft(Peer, reason, left, Host.Journal.IsDurable(left)));
        _failedAsks = 0;
        Host.OnLeft(peer, reason);
    }
}
