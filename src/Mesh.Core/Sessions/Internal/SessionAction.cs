using EventMesh.Events;
using EventMesh.Identity;
using EventMesh.Wire;

namespace EventMesh.Sessions.Internal;

/// <summary>What a session's state asks for, to be done in order.</summary>
internal abstract record SessionAction
{
    /// <summary>Send our Hello as dialer.</summary>
    public sealed record SendHello(Guid Connection, Guid LinkId, bool IsReverse) : SessionAction;

    /// <summary>As acceptor: send our Hello and that we accept.</summary>
    public sealed record SendHelloAndAccept(Guid Connection, Guid LinkId, bool IsReverse) : SessionAction;

    /// <summary>As dialer: send that we accept.</summary>
    public sealed record SendAccept(Guid Connection) : SessionAction;

    /// <summary>Tell the peer that its connection is refused, and close it.</summary>
    public sealed record Refuse(Guid Connection, WireCode Code) : SessionAction;

    /// <summary>Close a connection of ours.</summary>
    public sealed record Close(Guid Connection, WireCode Code) : SessionAction;

    /// <summary>Both sides have accepted: record it.</summary>
    public sealed record RecordOpened(Guid Connection) : SessionAction;

    /// <summary>A standing connection has ended: record it.</summary>
    public sealed record RecordClosed(Guid Connection, CloseReason Reason) : SessionAction;

    /// <summary>Dial the peer back, with this pair's link id.</summary>
    public sealed record StartReverseCheck(Guid Connection, Guid LinkId) : SessionAction;

    /// <summary>Wait for the peer's reverse connection, for a limited time.</summary>
    public sealed record AwaitReverseConnection(Guid LinkId) : SessionAction;

    /// <summary>We reached the peer in reverse: record it.</summary>
    public sealed record RecordReverseConfirmed(Guid Connection) : SessionAction;

    /// <summary>We could not reach the peer in reverse: record it and tell the peer on this connection.</summary>
    public sealed record ReportReverseFailed(Guid Connection, MeshError Error) : SessionAction;

    /// <summary>The peer reached us, or could not.</summary>
    public sealed record NoteReachability(bool IsReachable) : SessionAction;

    /// <summary>Ask the old connection whether it is alive, for at most a second, because another instance wants in.</summary>
    public sealed record PingOldConnection(Guid Connection, Guid Contender) : SessionAction;

    /// <summary>Tell the old instance that another process has its identity.</summary>
    public sealed record NotifyDuplicate(Guid Connection) : SessionAction;

    /// <summary>The peer has joined; messages leave on this connection.</summary>
    /// <param name="SendOn">The connection that we send on.</param>
    /// <param name="Kind">What the peer is in effect.</param>
    public sealed record Join(Guid SendOn, PeerKind Kind) : SessionAction;

    /// <summary>The peer has left.</summary>
    public sealed record Leave(CloseReason Reason) : SessionAction;

    /// <summary>A joined peer's connections, or what it is in effect, have changed; from now on messages leave on this connection.</summary>
    /// <param name="SendOn">The connection that we send on.</param>
    /// <param name="Kind">What the peer is in effect.</param>
    public sealed record Move(Guid SendOn, PeerKind Kind) : SessionAction;

    /// <summary>Close a replaced connection when what is under way on it has had time to arrive.</summary>
    public sealed record Retire(Guid Connection) : SessionAction;

    /// <summary>Tell the peer what we are now; as a node it is asked to check that with this link id.</summary>
    public sealed record SendKindChanged(Guid Connection, PeerKind Kind, Guid LinkId) : SessionAction;

    /// <summary>Tell the peer that its address was checked a short while ago.</summary>
    public sealed record DeclineCheck(Guid Connection) : SessionAction;

    /// <summary>Tell the peer that its address has changed, so that it asks for a check.</summary>
    public sealed record RequestCheck(Guid Connection) : SessionAction;

    /// <summary>Ask the peer for a check of our reachability after a while, longer each time.</summary>
    public sealed record AskLater(Guid Connection) : SessionAction;
}
