namespace EventMesh.Tests.Common.Journal;

/// <summary>What a call of the <see cref="InMemoryEventStore"/> suffers.</summary>
public enum StoreFault
{
    /// <summary>Nothing.</summary>
    None,

    /// <summary>It fails and has done nothing.</summary>
    Unavailable,

    /// <summary>It fails although it has committed.</summary>
    CommitThenFail,

    /// <summary>It fails, and commits later, when the next append comes.</summary>
    FailThenCommit,

    /// <summary>It waits until <see cref="InMemoryEventStore.Release"/>.</summary>
    Hang,
}
