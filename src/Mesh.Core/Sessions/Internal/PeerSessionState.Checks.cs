using EventMesh.Events;
using EventMesh.Identity;
using EventMesh.Wire;

namespace EventMesh.Sessions.Internal;

/// <summary>How checks of reachability end, and how a joined peer changes between client and node.</summary>
internal sealed partial record PeerSessionState
{
    /// <summary>Whether we are the node that dialled: the one whose reachability is in question, and that may ask for a check.</summary>
    private bool IsChecked => Phase == SessionPhase.Joined && LocalKind == PeerKind.Node && First!.IsDialer;

    /// <summary>Our check of the peer failed.</summary>
    private (PeerSessionState, IReadOnlyList<SessionAction>) OnReverseDialFailed(SessionInput.ReverseDialFailed e)
    {
        if (Check == Guid.Empty || Check != e.LinkId || First is not { IsDialer: false } first) return (this, Nothing);
        // The peer can't be dialled: in effect it is a client, and its one connection serves both.
        (PeerSessionState client, List<SessionAction> actions) = WithoutReverse();
        actions.Add(new SessionAction.ReportReverseFailed(first.Connection, e.Error));
        if (Phase == SessionPhase.AwaitingReverse) actions.Add(new SessionAction.Join(first.Connection, PeerKind.Client));
        else if (Reverse is not null) actions.Add(new SessionAction.Move(first.Connection, PeerKind.Client));
        return (client with { Phase = SessionPhase.Joined }, actions);
    }

    /// <summary>The peer's check of us failed, or was not made.</summary>
    private (PeerSessionState, IReadOnlyList<SessionAction>) OnReverseCheckReported(SessionInput.ReverseCheckReported e)
    {
        if (First is not { IsDialer: true, Stage: LinkStage.Standing } first || first.Connection != e.Connection) return (this, Nothing);
        // Without a check or a pair that it could end it is no news.
        if (Check == Guid.Empty && (Reverse is null || !e.WasMade)) return (this, Nothing);
        if (!e.WasMade && Phase == SessionPhase.Joined)
        {
            (PeerSessionState same, List<SessionAction> closing) = WithoutCheck();
            if (Reverse is null) closing.Add(new SessionAction.AskLater(first.Connection));
            return (same, closing);
        }
        (PeerSessionState client, List<SessionAction> actions) = WithoutReverse();
        if (e.WasMade) actions.Add(new SessionAction.NoteReachability(IsReachable: false));
        if (Phase == SessionPhase.AwaitingReverse) actions.Add(new SessionAction.Join(first.Connection, PeerKind.Node));
        actions.Add(new SessionAction.AskLater(first.Connection));
        return (client with { Phase = SessionPhase.Joined }, actions);
    }

    private (PeerSessionState, IReadOnlyList<SessionAction>) OnReverseCheckTimedOut(SessionInput.ReverseCheckTimedOut e)
    {
        if (Check == Guid.Empty || Check != e.LinkId || First is not { IsDialer: true } first) return (this, Nothing);
        if (Phase == SessionPhase.AwaitingReverse) return End(CloseReason.ReverseCheckFailed, WireCode.ReverseCheckFailed, ended: null);
        // The session goes on as it was.
        (PeerSessionState same, List<SessionAction> actions) = WithoutCheck();
        if (Reverse is null) actions.Add(new SessionAction.AskLater(first.Connection));
        return (same, actions);
    }

    /// <summary>We want the peer to find out whether it can dial us.</summary>
    private (PeerSessionState, IReadOnlyList<SessionAction>) OnCheckDue(SessionInput.CheckDue e)
    {
        if (!IsChecked || Check != Guid.Empty || (Reverse is not null && !e.EvenIfPaired)) return (this, Nothing);
        return (this with { Check = e.LinkId, IsCheckSpent = false },
            [new SessionAction.SendKindChanged(First!.Connection, PeerKind.Node, e.LinkId), new SessionAction.AwaitReverseConnection(e.LinkId)]);
    }

    /// <summary>The peer says that it can be dialled now, or no longer.</summary>
    private (PeerSessionState, IReadOnlyList<SessionAction>) OnKindChanged(SessionInput.KindChanged e)
    {
        if (Phase != SessionPhase.Joined || First is not { IsDialer: false } first || first.Connection != e.Connection) return (this, Nothing);
        if (e.Kind == PeerKind.Client)
        {
            if (Check == Guid.Empty && Reverse is null) return (this with { RemoteKind = e.Kind }, Nothing);
            (PeerSessionState client, List<SessionAction> actions) = WithoutReverse();
            if (Reverse is not null) actions.Add(new SessionAction.Move(first.Connection, PeerKind.Client));
            return (client with { RemoteKind = e.Kind }, actions);
        }
        PeerSessionState node = this with { RemoteKind = e.Kind };
        // One at a time: its verdict follows.
        if (Check != Guid.Empty) return (node, Nothing);
        if (!e.MayCheck) return (node, [new SessionAction.DeclineCheck(first.Connection)]);
        return (node with { Check = e.LinkId, IsCheckSpent = false }, [new SessionAction.StartReverseCheck(first.Connection, e.LinkId)]);
    }

    /// <summary>The peer's packets come from another address: what its reverse connection proved, it proved of the old one.</summary>
    private (PeerSessionState, IReadOnlyList<SessionAction>) OnAddressChanged(SessionInput.AddressChanged e) =>
        First is { IsDialer: false } first && first.Connection == e.Connection && Reverse is not null && Check == Guid.Empty
            ? (this, [new SessionAction.RequestCheck(first.Connection)])
            : (this, Nothing);

    /// <summary>The standing reverse connection has ended while the first one lives, in a way that ends the pair but not the session.</summary>
    private (PeerSessionState, IReadOnlyList<SessionAction>) OnReverseBroke(SessionInput.ConnectionEnded e)
    {
        PeerSessionState client = this with { Reverse = null };
        List<SessionAction> actions = [new SessionAction.RecordClosed(e.Connection, e.Reason)];
        SessionLink first = First!;
        if (!first.IsDialer)
        {
            // A check that runs will tell the peer how it ended.
            if (Check == Guid.Empty && e.Reason == CloseReason.Idle)
                actions.Add(new SessionAction.ReportReverseFailed(first.Connection, MeshError.IdleTimeout));
            actions.Add(new SessionAction.Move(first.Connection, PeerKind.Client));
            return (client, actions);
        }
        if (Check != Guid.Empty) return (client, actions);
        if (e.Reason == CloseReason.Idle)
            actions.Add(new SessionAction.SendKindChanged(first.Connection, PeerKind.Client, first.LinkId));
        actions.Add(new SessionAction.AskLater(first.Connection));
        return (client, actions);
    }

    /// <summary>The state without the check that runs, and its half-made connection's end.</summary>
    private (PeerSessionState State, List<SessionAction> Actions) WithoutCheck()
    {
        List<SessionAction> actions = [];
        if (Probe is { } probe) actions.Add(new SessionAction.Close(probe.Connection, WireCode.ReverseCheckFailed));
        return (this with { Probe = null, Check = Guid.Empty, IsCheckSpent = false }, actions);
    }

    /// <summary>The same, and without the reverse connection that stood.</summary>
    private (PeerSessionState State, List<SessionAction> Actions) WithoutReverse()
    {
        (PeerSessionState state, List<SessionAction> actions) = WithoutCheck();
        if (Reverse is not { } reverse) return (state, actions);
        actions.Add(new SessionAction.Close(reverse.Connection, WireCode.ReverseCheckFailed));
        actions.Add(new SessionAction.RecordClosed(reverse.Connection, CloseReason.ReverseCheckFailed));
        return (state with { Reverse = null }, actions);
    }
}
