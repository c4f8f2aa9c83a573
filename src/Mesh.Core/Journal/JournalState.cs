namespace EventMesh.Journal;

/// <summary>Which way recorded events take to the store.</summary>
public enum JournalState
{
    /// <summary>Straight to the store.</summary>
    Live,

    /// <summary>To the spool: the store does not acknowledge.</summary>
    Spooling,

    /// <summary>From the spool to the store, newer ones behind the older.</summary>
    Draining,

    /// <summary>Nowhere: stopped, or never opened.</summary>
    Stopped,

    /// <summary>Nowhere: the journal can't go on and the node has to stop.</summary>
    Failed,
}
