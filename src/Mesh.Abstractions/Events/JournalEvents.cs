namespace EventMesh.Events;

/// <summary>
/// The way of events to the store changed for longer than a moment: a spell of spooling goes on for a second, or has ended. At most one pair a minute: what came
/// between is counted by the next one.
/// </summary>
/// <param name="State">The way since.</param>
/// <param name="Cause">Why events went to the spool.</param>
/// <param name="Began">When the spell began.</param>
/// <param name="Ended">When the store had everything again; null while it lasts.</param>
/// <param name="Events">How many events went to the spool in it so far.</param>
/// <param name="Unreported">How many other spells ended since the last such event, each too short or too soon after another for an event of its own.</param>
[MeshEvent("journal.state-changed", 1, StreamFamily.Node)]
public sealed record JournalStateChanged(
    LogState State, SpoolingCause Cause, DateTimeOffset Began, DateTimeOffset? Ended, long Events, int Unreported) : IMeshEvent;

/// <summary>
/// The spool was full, or more new peers came than the log takes in a minute: connections and joins that came and went were counted instead of recorded one by one. It changes no
/// state. What stood before has its own events all the same, and what still stands when there is space again, or the peer's turn has come, gets them then.
/// </summary>
/// <param name="Since">When the counting began; it ended with this event.</param>
/// <param name="NewPeers">New peers that were held back, by their first connection; zero when only the spool was full.</param>
/// <param name="Opened">Connections that both sides accepted.</param>
/// <param name="Closed">Connections that ended, by reason.</param>
/// <param name="Joined">Peers that joined.</param>
/// <param name="Left">Peers that left, by reason.</param>
/// <param name="Updated">Joined peers that changed their kind or addresses.</param>
/// <param name="Discovered">Peers that answered a dial for the first time.</param>
/// <param name="DialsFailed">Failed dials that say nothing about an entry of the bootstrap cache.</param>
/// <param name="ReverseChecks">Reverse checks that ended, well or not.</param>
/// <param name="Refused">Refused strangers.</param>
/// <param name="BytesSent">Application bytes sent on the connections that ended.</param>
/// <param name="BytesReceived">Application bytes received on the connections that ended.</param>
/// <param name="MessagesSent">Messages sent on the connections that ended.</param>
/// <param name="MessagesReceived">Messages received on the connections that ended.</param>
[MeshEvent("peer.connections-summarised", 1, StreamFamily.Peers)]
public sealed record ConnectionsSummarised(
    DateTimeOffset Since, long NewPeers, long Opened, IReadOnlyList<CloseCount> Closed, long Joined, IReadOnlyList<CloseCount> Left, long Updated, long Discovered,
    long DialsFailed, long ReverseChecks, long Refused, long BytesSent, long BytesReceived, long MessagesSent, long MessagesReceived) : IMeshEvent;

/// <summary>How many ended for a reason.</summary>
/// <param name="Reason">The reason.</param>
/// <param name="Count">How many; positive.</param>
public sealed record CloseCount(CloseReason Reason, long Count);

/// <summary>Which way recorded events take to the store.</summary>
public enum LogState
{
    /// <summary>Straight to the store.</summary>
    Live,

    /// <summary>By way of the spool.</summary>
    Spooling,
}

/// <summary>Why events went to the spool.</summary>
public enum SpoolingCause
{
    /// <summary>The store did not acknowledge in time.</summary>
    Slow,

    /// <summary>The store could not be reached, or refused events.</summary>
    Unavailable,
}
