using EventMesh.Events;
using EventMesh.Identity;

namespace EventMesh.Journal.Internal;

/// <summary>
/// Finds that a store has lost what it had acknowledged: a replica that had not received the last commits took the primary's place, or an old backup was
/// restored. To append after the gap would make a log with a hole, to append in its place one that says something else than what was acknowledged.
/// </summary>
internal static class LostTail
{
    /// <summary>The failure to report; null when the store's log does not end early. Pure.</summary>
    public static MeshException? Find(NodeId node, LogPosition end, IReadOnlyList<RecordedEvent> batch, MeshException conflict)
    {
        long acknowledged = batch[0].NodeSeq - 1;
        return end.NodeSeq >= acknowledged
            ? null
            : new MeshException(
                MeshError.EpochLost,
                $"The store has lost {acknowledged - end.NodeSeq} events that it had acknowledged: the log of node {node} ends there at place {end.NodeSeq}, and this node's at " +
                $"{acknowledged}. So it is after a failover to a replica that was behind, or when a backup was restored. The node stops, and keeps what the store does not have in its " +
                "spool. Bring the old primary back if it has the events; else move the spool away, and the node goes on without them.",
                conflict);
    }
}
