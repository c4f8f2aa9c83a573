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

    /// <summary>All connections that the pair needs stand. A later check of reachability runs beside it.</summary>
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

    /// <summary>The standing connection that proves the first one's dialer reachable.</summary>
    public SessionLink? Reverse { get; private init; }

    /// <summary>The reverse connection whose handshake runs.</summary>
    public SessionLink? Probe { get; private init; }

    /// <summary>The reverse connection that another has replaced; it lives a moment longer for what is under way on it.</summary>
    public SessionLink? Retired { get; private init; }

    /// <summary>The link of the check of reachability that runs: by us when the peer dialled, else by the peer. Empty when none does.</summary>
    public Guid Check { get; private init; }

    /// <summary>Whether the check's link has been used: it is valid once.</summary>
    public bool IsCheckSpent { get; private init; }

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
        // The answer to a dial that we have closed meanwhile.
        SessionInput.HelloReceived { IsAnswer: true } => (this, Nothing),
        SessionInput.HelloReceived e => OnHello(e),
        SessionInput.AcceptReceived e => OnAcceptReceived(e),
        SessionInput.ReverseDialFailed e => OnReverseDialFailed(e),
        SessionInput.ReverseCheckReported e => OnReverseCheckReported(e),
        SessionInput.ReverseCheckTimedOut e => OnReverseCheckTimedOut(e),
        SessionInput.CheckDue e => OnCheckDue(e),
        SessionInput.KindChanged e => OnKindChanged(e),
        SessionInput.AddressChanged e => OnAddressChanged(e),
        SessionInput.OldConnectionAlive => OnOldConnectionAlive(),
        SessionInput.OldConnectionSilent e => OnOldConnectionSilent(e),
        SessionInput.ConnectionEnded e => OnConnectionEnded(e),
        SessionInput.EndRequested e => OnEndRequested(e),
        _ => (this, Nothing),
    };

    private bool IsOurDial(Guid connection) =>
        new[] { First, Reverse, Probe, Retired }.Any(link => link is { IsDialer: true } && link.Connection == connection);

    private (PeerSessionState, IReadOnlyList<SessionAction>) OnDialled(SessionInput.Dialled e)
    {
        if (e.IsReverse)
        {
            // The pair, or the check, may have ended while we dialled.
            if (First is not { IsDialer: false } || Check == Guid.Empty || Check != e.LinkId || IsCheckSpent)
                return (this, [new SessionAction.Close(e.Connection, WireCode.PairIncomplete)]);
            return (this with { Probe = new(e.Connection, IsDialer: true, Check, LinkStage.HelloSent), IsCheckSpent = true },
                [new SessionAction.SendHello(e.Connection, Check, IsReverse: true)]);
        }
        // The peer has not seen a Hello on it, so it can go without a word when another connection was faster.
        if (Phase != SessionPhase.Absent) return (this, [new SessionAction.Close(e.Connection, WireCode.AlreadyConnected)]);
        return (this with { Phase = SessionPhase.Linking, First = new(e.Connection, IsDialer: true, e.LinkId, LinkStage.HelloSent) },
            [new SessionAction.SendHello(e.Connection, e.LinkId, IsReverse: false)]);
    }

    /// <summary>As dialer: the acceptor's Hello and its Accepted are here.</summary>
    private (PeerSessionState, IReadOnlyList<SessionAction>) OnAnswered(SessionInput.HelloReceived e)
    {
        if (Probe?.Connection == e.Connection)
        {
            // Another process of the peer may answer at its port; the check is of the one that dialled us.
            if (e.Instance != RemoteInstance) return (this, [new SessionAction.Close(e.Connection, WireCode.ProtocolViolation)]);
            return OnPairStands(e.Connection,
                [
                    new SessionAction.SendAccept(e.Connection), new SessionAction.RecordOpened(e.Connection),
                    new SessionAction.RecordReverseConfirmed(e.Connection),
                ]);
        }
        if (First?.Connection != e.Connection || First.Stage != LinkStage.HelloSent)
            return (this, [new SessionAction.Close(e.Connection, WireCode.ProtocolViolation)]);
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
            return (standing with { Phase = SessionPhase.AwaitingReverse, Check = First.LinkId }, actions);
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
        bool isAwaited = First is { IsDialer: true } && Check != Guid.Empty && Check == e.LinkId && !IsCheckSpent && RemoteInstance == e.Instance;
        if (!isAwaited) return (this, [new SessionAction.Refuse(e.Connection, WireCode.LinkUnknown)]);
        return (this with { Probe = new(e.Connection, IsDialer: false, e.LinkId, LinkStage.Accepted), IsCheckSpent = true },
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
                return (standing with { Phase = SessionPhase.AwaitingReverse, Check = first.LinkId },
                    [new SessionAction.RecordOpened(e.Connection), new SessionAction.StartReverseCheck(e.Connection, first.LinkId)]);
            }
            return (standing with { Phase = SessionPhase.Joined },
                [new SessionAction.RecordOpened(e.Connection), new SessionAction.Join(e.Connection, PeerKind.Client)]);
        }
        if (Probe is { IsDialer: false } probe && probe.Connection == e.Connection)
        {
            return OnPairStands(First!.Connection,
                [new SessionAction.RecordOpened(e.Connection), new SessionAction.NoteReachability(IsReachable: true)]);
        }
        return (this, [new SessionAction.Close(e.Connection, WireCode.ProtocolViolation)]);
    }

    /// <summary>The reverse connection stands: the pair is complete, for the first time or again.</summary>
    /// <param name="sendOn">The connection of the two that we opened.</param>
    /// <param name="actions">What the new connection asks for.</param>
    private (PeerSessionState, IReadOnlyList<SessionAction>) OnPairStands(Guid sendOn, List<SessionAction> actions)
    {
        PeerSessionState complete = this with
        {
            Phase = SessionPhase.Joined,
            Reverse = Probe! with { Stage = LinkStage.Standing },
            Probe = null,
            Check = Guid.Empty,
            IsCheckSpent = false,
        };
        if (Phase == SessionPhase.AwaitingReverse) return (complete, [.. actions, new SessionAction.Join(sendOn, PeerKind.Node)]);
        actions.Add(new SessionAction.Move(sendOn, PeerKind.Node));
        if (Reverse is not { } old) return (complete, actions);
        // One is enough to live on: an older one that is still here has had its time.
        if (Retired is { } older)
        {
            actions.Add(new SessionAction.Close(older.Connection, WireCode.Replaced));
            actions.Add(new SessionAction.RecordClosed(older.Connection, CloseReason.Replaced));
        }
        actions.Add(new SessionAction.Retire(old.Connection));
        return (complete with { Retired = old }, actions);
    }
}
