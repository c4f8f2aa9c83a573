using EventMesh.Events;
using EventMesh.Identity;
using EventMesh.Wire;

namespace EventMesh.Sessions.Internal;

/// <summary>Where the session with a peer stands.</summary>
internal enum SessionPhase
{
    /// <summary>No connection.</summary>
    Absent,

    /// <summary>The first connection's application handshake runs.</summary>
    Linking,

    /// <summary>The first connection stands; between two nodes the reverse one is awaited.</summary>
    AwaitingReverse,

    /// <summary>All connections that the pair needs stand.</summary>
    Joined,
}

/// <summary>
/// The life of the session with one peer as a pure function: (state, input) to (state, actions). No I/O, no clock. docs/protocol.md
/// tells the same story in words.
/// </summary>
internal sealed partial record PeerSessionState(PeerId Local, PeerId Remote, PeerKind LocalKind)
{
    private static readonly IReadOnlyList<SessionAction> Nothing = [];

    public SessionPhase Phase { get; private init; }

    /// <summary>The first connection of the pair.</summary>
    public SessionLink? First { get; private init; }

    /// <summary>The connection that proves the first one's dialer reachable.</summary>
    public SessionLink? Reverse { get; private init; }

    /// <summary>An inbound connection of another instance, which waits for the old one's answer.</summary>
    public SessionInput.HelloReceived? Contender { get; private init; }

    /// <summary>The peer's process start; empty while unknown.</summary>
    public Guid RemoteInstance { get; private init; }

    /// <summary>What the peer says it is.</summary>
    public PeerKind RemoteKind { get; private init; }

    public (PeerSessionState State, IReadOnlyList<SessionAction> Actions) Step(SessionInput input) => input switch
    {
        SessionInput.Dialled e => OnDialled(e),
        SessionInput.HelloReceived e when IsOurDial(e.Connection) => OnAnswered(e),
        SessionInput.HelloReceived e => OnHello(e),
        SessionInput.AcceptReceived e => OnAcceptReceived(e),
        SessionInput.ReverseDialFailed e => OnReverseDialFailed(e),
        SessionInput.ReverseCheckReported e => OnReverseCheckReported(e),
        SessionInput.ReverseCheckTimedOut e => OnReverseCheckTimedOut(e),
        SessionInput.OldConnectionAlive => OnOldConnectionAlive(),
        SessionInput.OldConnectionSilent e => OnOldConnectionSilent(e),
        SessionInput.ConnectionEnded e => OnConnectionEnded(e),
        SessionInput.EndRequested e => OnEndRequested(e),
        _ => (this, Nothing),
    };

    private bool IsOurDial(Guid connection) =>
        (First is { IsDialer: true } && First.Connection == connection) || (Reverse is { IsDialer: true } && Reverse.Connection == connection);

    private (PeerSessionState, IReadOnlyList<SessionAction>) OnDialled(SessionInput.Dialled e)
    {
        if (e.IsReverse)
        {
            // The pair may have ended while we dialled.
            if (Phase != SessionPhase.AwaitingReverse || Reverse is not null || First is not { IsDialer: false } first)
                return (this, [new SessionAction.Close(e.Connection, WireCode.PairIncomplete)]);
            return (this with { Reverse = new(e.Connection, IsDialer: true, first.LinkId, LinkStage.HelloSent) },
                [new SessionAction.SendHello(e.Connection, first.LinkId, IsReverse: true)]);
        }
        // The peer has not seen a Hello on it, so it can go without a word when another connection was faster.
        if (Phase != SessionPhase.Absent) return (this, [new SessionAction.Close(e.Connection, WireCode.AlreadyConnected)]);
        return (this with { Phase = SessionPhase.Linking, First = new(e.Connection, IsDialer: true, e.LinkId, LinkStage.HelloSent) },
            [new SessionAction.SendHello(e.Connection, e.LinkId, IsReverse: false)]);
    }

    /// <summary>As dialer: the acceptor's Hello and its Accepted are here.</summary>
    private (PeerSessionState, IReadOnlyList<SessionAction>) OnAnswered(SessionInput.HelloReceived e)
    {
        if (Reverse?.Connection == e.Connection)
        {
            if (Reverse.Stage != LinkStage.HelloSent || e.Instance != RemoteInstance)
                return (this, [new SessionAction.Close(e.Connection, WireCode.ProtocolViolation)]);
            PeerSessionState confirmed = this with { Reverse = Reverse with { Stage = LinkStage.Standing }, Phase = SessionPhase.Joined };
            return (confirmed,
            [
                new SessionAction.SendAccept(e.Connection),
                new SessionAction.RecordOpened(e.Connection),
                new SessionAction.RecordReverseConfirmed(e.Connection),
                new SessionAction.Join(e.Connection, PeerKind.Node),
            ]);
        }
        if (First!.Stage != LinkStage.HelloSent) return (this, [new SessionAction.Close(e.Connection, WireCode.ProtocolViolation)]);
        PeerSessionState standing = this with
        {
            First = First with { Stage = LinkStage.Standing },
            RemoteInstance = e.Instance,
            RemoteKind = e.Kind,
        };
        List<SessionAction> actions = [new SessionAction.SendAccept(e.Connection), new SessionAction.RecordOpened(e.Connection)];
        // We were able to dial the peer: it is a node whatever it calls itself, and it checks us when we are one.
        if (LocalKind == PeerKind.Node)
        {
            actions.Add(new SessionAction.AwaitReverseConnection(First.LinkId));
            return (standing with { Phase = SessionPhase.AwaitingReverse }, actions);
        }
        actions.Add(new SessionAction.Join(e.Connection, PeerKind.Node));
        return (standing with { Phase = SessionPhase.Joined }, actions);
    }

    /// <summary>As acceptor: a dialer's Hello is here.</summary>
    private (PeerSessionState, IReadOnlyList<SessionAction>) OnHello(SessionInput.HelloReceived e)
    {
        if (e.IsReverse) return OnReverseHello(e);
        switch (Phase)
        {
            case SessionPhase.Absent:
                return Accept(e, []);
            case SessionPhase.Linking when First is { IsDialer: true, Stage: LinkStage.HelloSent } ours:
                // Two crossing dials: the one of the higher PeerId gives way, on both sides alike.
                return Local.CompareTo(Remote) < 0
                    ? (this, [new SessionAction.Refuse(e.Connection, WireCode.SimultaneousDial)])
                    : Accept(e, [new SessionAction.Close(ours.Connection, WireCode.SimultaneousDial)]);
            case var _ when RemoteInstance == e.Instance || Contender is not null:
                return (this, [new SessionAction.Refuse(e.Connection, WireCode.AlreadyConnected)]);
            default:
                // Another process with this identity: a restart, if the old one is silent.
                return (this with { Contender = e }, [new SessionAction.PingOldConnection(First!.Connection, e.Connection)]);
        }
    }

    private (PeerSessionState, IReadOnlyList<SessionAction>) Accept(SessionInput.HelloReceived e, List<SessionAction> before) =>
        (new PeerSessionState(Local, Remote, LocalKind)
        {
            Phase = SessionPhase.Linking,
            First = new(e.Connection, IsDialer: false, e.LinkId, LinkStage.Accepted),
            RemoteInstance = e.Instance,
            RemoteKind = e.Kind,
        },
        [.. before, new SessionAction.SendHelloAndAccept(e.Connection, e.LinkId, IsReverse: false)]);

    private (PeerSessionState, IReadOnlyList<SessionAction>) OnReverseHello(SessionInput.HelloReceived e)
    {
        bool isAwaited = Phase == SessionPhase.AwaitingReverse && Reverse is null && First is { IsDialer: true } first
            && first.LinkId == e.LinkId && RemoteInstance == e.Instance;
        if (!isAwaited) return (this, [new SessionAction.Refuse(e.Connection, WireCode.LinkUnknown)]);
        return (this with { Reverse = new(e.Connection, IsDialer: false, e.LinkId, LinkStage.Accepted) },
            [new SessionAction.SendHelloAndAccept(e.Connection, e.LinkId, IsReverse: true)]);
    }

    /// <summary>As acceptor: the dialer's Accepted is here, the connection stands.</summary>
    private (PeerSessionState, IReadOnlyList<SessionAction>) OnAcceptReceived(SessionInput.AcceptReceived e)
    {
        if (First is { IsDialer: false, Stage: LinkStage.Accepted } first && first.Connection == e.Connection)
        {
            PeerSessionState standing = this with { First = first with { Stage = LinkStage.Standing } };
            if (RemoteKind == PeerKind.Node)
            {
                return (standing with { Phase = SessionPhase.AwaitingReverse },
                    [new SessionAction.RecordOpened(e.Connection), new SessionAction.StartReverseCheck(e.Connection, first.LinkId)]);
            }
            return (standing with { Phase = SessionPhase.Joined },
                [new SessionAction.RecordOpened(e.Connection), new SessionAction.Join(e.Connection, PeerKind.Client)]);
        }
        if (Phase == SessionPhase.AwaitingReverse && Reverse is { IsDialer: false, Stage: LinkStage.Accepted } reverse
            && reverse.Connection == e.Connection)
        {
            return (this with { Reverse = reverse with { Stage = LinkStage.Standing }, Phase = SessionPhase.Joined },
            [
                new SessionAction.RecordOpened(e.Connection),
                new SessionAction.NoteReachability(IsReachable: true),
                new SessionAction.Join(First!.Connection, PeerKind.Node),
            ]);
        }
        return (this, [new SessionAction.Close(e.Connection, WireCode.ProtocolViolation)]);
    }
}
