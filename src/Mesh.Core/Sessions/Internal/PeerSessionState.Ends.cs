using EventMesh.Events;
using EventMesh.Identity;
using EventMesh.Wire;

namespace EventMesh.Sessions.Internal;

/// <summary>How instances replace each other and connections end.</summary>
internal sealed partial record PeerSessionState
{
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
        if (Retired?.Connection == e.Connection) return (this with { Retired = null }, [new SessionAction.RecordClosed(e.Connection, CloseReason.Replaced)]);
        if (Probe?.Connection == e.Connection)
        {
            // The reverse handshake broke off: for its dialer a failed check, for the other the wait goes on.
            PeerSessionState without = this with { Probe = null };
            return Probe.IsDialer ? without.OnReverseDialFailed(new(MeshError.ConnectionLost, Check)) : (without, Nothing);
        }
        if (Reverse?.Connection == e.Connection && LeavesFirst(e.Reason)) return OnReverseBroke(e);
        if (First?.Connection != e.Connection && Reverse?.Connection != e.Connection) return (this, Nothing);
        SessionInput.HelloReceived? contender = Contender;
        (PeerSessionState absent, IReadOnlyList<SessionAction> actions) =
            (this with { Contender = null }).End(e.Reason, WireCode.PairIncomplete, e.Connection);
        return contender is null ? (absent, actions) : absent.Accept(contender, [.. actions]);
    }

    /// <summary>
    /// Whether the reverse connection's end says nothing of the first: silence on its path alone, the peer's verdict on it, or its successor.
    /// </summary>
    private bool LeavesFirst(CloseReason reason) =>
        reason is CloseReason.Idle or CloseReason.ReverseCheckFailed || (reason == CloseReason.Replaced && Check != Guid.Empty);

    private (PeerSessionState, IReadOnlyList<SessionAction>) OnEndRequested(SessionInput.EndRequested e) => End(e.Reason, e.Code, ended: null);

    /// <summary>Ends all connections but the one that has <paramref name="ended"/> already.</summary>
    private (PeerSessionState, IReadOnlyList<SessionAction>) End(CloseReason reason, WireCode code, Guid? ended)
    {
        List<SessionAction> actions = [];
        if (Contender is { } contender) actions.Add(new SessionAction.Refuse(contender.Connection, code));
        foreach (SessionLink link in new[] { First, Reverse, Probe, Retired }.OfType<SessionLink>())
        {
            if (link.Connection != ended) actions.Add(new SessionAction.Close(link.Connection, code));
            if (link.Stage == LinkStage.Standing) actions.Add(new SessionAction.RecordClosed(link.Connection, reason));
        }
        if (Phase == SessionPhase.Joined) actions.Add(new SessionAction.Leave(reason));
        return (new PeerSessionState(Local, Remote, LocalKind), actions);
    }
}
