namespace EventMesh.Journal.Internal;

/// <summary>The steps of the writer and of a start, between any two of which a process may be killed. Tests look at what is on disk there.</summary>
internal enum JournalStep
{
    /// <summary>A batch was taken from the queue.</summary>
    Taken,

    /// <summary>An append to the store is under way.</summary>
    AppendStarted,

    /// <summary>The store has acknowledged a batch; nobody has been told.</summary>
    Acknowledged,

    /// <summary>The local replica has the batch.</summary>
    Copied,

    /// <summary>Those who wait for the batch have been told.</summary>
    Told,

    /// <summary>The spool no longer has the batch.</summary>
    Deleted,

    /// <summary>The spool has a batch; nobody has been told.</summary>
    Spooled,

    /// <summary>Those who wait for a spooled batch have been told.</summary>
    SpooledTold,

    /// <summary>A start: a batch of an earlier process is in the store and still in the spool.</summary>
    LeftoverAppended,

    /// <summary>A start: a batch of an earlier process is in the store and no longer in the spool.</summary>
    LeftoverDeleted,

    /// <summary>A start: the events of the spool have other places.</summary>
    LeftoverMoved,

    /// <summary>A start: the state is folded, the log not yet taken over.</summary>
    Folded,

    /// <summary>A start: the log is taken over; nothing of this process has been recorded.</summary>
    Claimed,

    /// <summary>A start without the store: the provisional claim is in the spool.</summary>
    ClaimSpooled,
}
