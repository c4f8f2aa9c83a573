using EventMesh.Events;
using EventMesh.Identity;

namespace EventMesh.Sessions.Internal;

/// <summary>What happens to a session.</summary>
internal abstract record SessionInput
{
    /// <summary>Our dial's TLS handshake has ended; the application handshake may begin.</summary>
    /// <param name="Connection">The connection.</param>
    /// <param name="LinkId">A fresh identity for a pair; of a reverse dial the link that it checks.</param>
    /// <param name="IsReverse">Whether this is the reverse check's dial.</param>
    public sealed record Dialled(Guid Connection, Guid LinkId, bool IsReverse) : SessionInput;

    /// <summary>The peer's Hello, and as dialer its verdict too, are here and are well-formed.</summary>
    /// <param name="Connection">The connection.</param>
    /// <param name="Kind">What the peer is.</param>
    /// <param name="Instance">The peer's process start.</param>
    /// <param name="LinkId">The pair.</param>
    /// <param name="IsReverse">Whether the peer calls it the reverse connection of the pair.</param>
    /// <param name="IsAnswer">Whether we have dialled the connection.</param>
    public sealed record HelloReceived(
        Guid Connection, PeerKind Kind, Guid Instance, Guid LinkId, bool IsReverse, bool IsAnswer = false) : SessionInput;

    /// <summary>The dialer accepted our Hello too.</summary>
    public sealed record AcceptReceived(Guid Connection) : SessionInput;

    /// <summary>Our dial of the reverse check came to nothing.</summary>
    /// <param name="Error">Why.</param>
    /// <param name="LinkId">The link that was checked.</param>
    public sealed record ReverseDialFailed(MeshError Error, Guid LinkId) : SessionInput;

    /// <summary>The peer says how its check of our reachability ended: it failed.</summary>
    /// <param name="Connection">The connection that says so.</param>
    /// <param name="WasMade">False when the peer did not make the check, since it has made one a short while ago.</param>
    public sealed record ReverseCheckReported(Guid Connection, bool WasMade = true) : SessionInput;

    /// <summary>The reverse connection did not come in time.</summary>
    public sealed record ReverseCheckTimedOut(Guid LinkId) : SessionInput;

    /// <summary>The old connection answered the ping that a newer one had caused.</summary>
    public sealed record OldConnectionAlive : SessionInput;

    /// <summary>The old connection did not answer within its second.</summary>
    public sealed record OldConnectionSilent(Guid Contender) : SessionInput;

    /// <summary>A connection has ended.</summary>
    /// <param name="Connection">The connection.</param>
    /// <param name="Reason">Why.</param>
    public sealed record ConnectionEnded(Guid Connection, CloseReason Reason) : SessionInput;

    /// <summary>We want the session to end.</summary>
    /// <param name="Reason">Why, for the log.</param>
    /// <param name="Code">What the peer is told.</param>
    public sealed record EndRequested(CloseReason Reason, Wire.WireCode Code) : SessionInput;

    /// <summary>It is time to ask the peer whether it can dial us.</summary>
    /// <param name="LinkId">A fresh identity for the pair.</param>
    /// <param name="EvenIfPaired">Whether to ask although a reverse connection stands.</param>
    public sealed record CheckDue(Guid LinkId, bool EvenIfPaired) : SessionInput;

    /// <summary>The peer says that it has become another kind.</summary>
    /// <param name="Connection">The connection that says so.</param>
    /// <param name="Kind">What it is now.</param>
    /// <param name="LinkId">Of a node: the link id of the check that it asks for.</param>
    /// <param name="MayCheck">Whether its address may be dialled again by now.</param>
    public sealed record KindChanged(Guid Connection, PeerKind Kind, Guid LinkId, bool MayCheck) : SessionInput;

    /// <summary>The peer's end of a connection that it dialled has another address than before.</summary>
    public sealed record AddressChanged(Guid Connection) : SessionInput;
}
