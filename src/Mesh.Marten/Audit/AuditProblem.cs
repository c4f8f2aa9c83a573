namespace EventMesh.Marten.Audit;

/// <summary>What can be wrong with a log.</summary>
public enum AuditProblem
{
    /// <summary>No event has the place: one was removed.</summary>
    Removed,

    /// <summary>A row is there that the node did not record, or a second one for a place.</summary>
    Inserted,

    /// <summary>The event's content or its envelope is not what was recorded.</summary>
    Changed,

    /// <summary>The event has no link, or another than the chain gives it.</summary>
    BrokenLink,

    /// <summary>The event is not later than the one before, its epoch falls, an epoch does not open with the node's start, or it is in another stream than its own.</summary>
    Misplaced,

    /// <summary>What the store notes as the log's end is not its end.</summary>
    WrongHead,

    /// <summary>A seal is not by the node's key, or its signature is false.</summary>
    ForgedSeal,

    /// <summary>A seal or an exported head stands for another log than this: what comes before it was rewritten.</summary>
    Rewritten,

    /// <summary>An event says that it was erased, and no erasure vouches for its content; or an erasure for events that do not say so.</summary>
    ForgedErasure,

    /// <summary>A projection holds something else than the log gives.</summary>
    Projection,
}
