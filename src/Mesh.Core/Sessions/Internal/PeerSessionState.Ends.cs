using EventMesh.Events;
using EventMesh.Identity;
using EventMesh.Wire;

namespace EventMesh.Sessions.Internal;

/// <summary>How reverse checks fail, instances replace each other and connections end.</summary>
internal sealed partial record PeerSessionState
{
    private (PeerSessionState, IReadOnlyList<SessionAction>) OnReverseDialFailed(SessionInput.ReverseDialFailed e)
    {
        if (Phase != SessionPhase.AwaitingReverse || First is not { IsDialer: false } first) return (this, Nothing);
        // The peer can't be dialled: in effect it is a client, and its one connection serves both.
        return (this with { Phase = SessionPhase.Joined, Reverse = null },
        [
            new SessionAction.ReportReverseFailed(first.Connection, e.Error),
            new SessionAction.Join(first.Connection, PeerKind.Client),
        ]);
    }

    private (PeerSessionState, IReadOnlyList<SessionAction>) OnReverseCheckReported(SessionInput.ReverseCheckReported e)
    {
        if (Phase != SessionPhase.AwaitingReverse || First is not { IsDialer: true } first || first.Connection != e.Connection)
            return (this, Nothing);
        // A reverse connection that is half made belongs to the check that has failed.
        IEnumerable<SessionAction> half = Reverse is { } reverse ? [new SessionAction.Close(reverse.Connection, WireCode.ReverseCheckFailed)] : [];
        return (this with { Phase = SessionPhase.Joined, Reverse = null },
            [.. half, new SessionAction.NoteReachability(IsReachable: false), new SessionAction.Join(first.Connection, PeerKind.Node)]);
    }

    private (PeerSessionState, IReadOnlyList<SessionAction>) OnReverseCheckTimedOut(SessionInput.ReverseCheckTimedOut e) =>
        Phase == SessionPhase.AwaitingReverse && First?.LinkId == e.LinkId
            ? End(CloseReason.ReverseCheckFailed, WireCode.ReverseCheckFailed, ended: null)
            : (this, Nothing);

    private (PeerSessionState, IReadOnlyList<SessionAction>) OnOldConnectionAlive()
    {
        if (Contender is not { } contender) return (this, Nothing);
        return (this with { Contender = null },
        [
            new SessionAction.Refuse(contender.Connection, WireCode.DuplicateIdentity),
            new SessionAction.NotifyDuplicate(First!.Connection),
        ]);
    }

    private (PeerSessionState, IReadOnlyList<SessionAction>) OnOldConnectionSilent(SessionInput.OldConnectionSilent e)
    {
        if (Contender is not { } contender || contender.Connection != e.Contender) return (this, Nothing);
        (_, IReadOnlyList<SessionAction> ending) = (this with { Contender = null }).End(CloseReason.Replaced, WireCode.Replaced, ended: null);
        return Accept(contender, [.. ending]);
    }

    private (PeerSessionState, IReadOnlyList<SessionAction>) OnConnectionEnded(SessionInput.ConnectionEnded e)
    {
        if (Contender?.Connection == e.Connection) return (this with { Contender = null }, Nothing);
        if (Reverse?.Connection == e.Connection && Phase == SessionPhase.AwaitingReverse)
        {
            // The reverse handshake broke off: for its dialer a failed check, for the other the wait goes on.
            PeerSessionState without = this with { Reverse = null };
            return Reverse.IsDialer ? without.OnReverseDialFailed(new(MeshError.ConnectionLost)) : (without, Nothing);
        }
        if (First?.Connection != e.Connection && Reverse?.Connection != e.Connection) return (this, Nothing);
        SessionInput.HelloReceived? contender = Contender;
        (PeerSessionState absent, IReadOnlyList<SessionAction> actions) =
            (this with { Contender = null }).End(e.Reason, WireCode.PairIncomplete, e.Connection);
        return contender is null ? (absent, actions) : absent.Accept(contender, [.. actions]);
    }

    private (PeerSessionState, IReadOnlyList<SessionAction>) OnEndRequested(SessionInput.EndRequested e) => End(e.Reason, e.Code, ended: null);

    /// <summary>Ends all connections but the one that has <paramref name="ended"/> already.</summary>
    private (PeerSessionState, IReadOnlyList<SessionAction>) End(CloseReason reason, WireCode code, Guid? ended)
    {
        List<SessionAction> actions = [];
        if (Contender is { } contender) actions.Add(new SessionAction.Refuse(contender.Connection, code));
        foreach (SessionLink link in new[] { First, Reverse }.OfType<SessionLink>())
        {
            if (link.Connection != ended) actions.Add(new SessionAction.Close(link.Connection, code));
            if (link.Stage == LinkStage.Standing) actions.Add(new SessionAction.RecordClosed(link.Connection, reason));
        }
        if (Phase == SessionPhase.Joined) actions.Add(new SessionAction.Leave(reason));
        return (new PeerSessionState(Local, Remote, LocalKind), actions);
    }
}
