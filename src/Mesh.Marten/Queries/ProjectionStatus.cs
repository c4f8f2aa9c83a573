namespace EventMesh.Marten.Queries;

/// <summary>How far a projection has followed a node's log.</summary>
/// <param name="Name">Its name, that of its view.</param>
/// <param name="NodeSeq">The place up to which it has folded.</param>
/// <param name="LogSeq">The end of the log.</param>
/// <param name="Lag">The events after <paramref name="NodeSeq"/> that concern it; 0 when it is current.</param>
public sealed record ProjectionStatus(string Name, long NodeSeq, long LogSeq, long Lag)
{
    /// <value>For how long the first of the events of <see cref="Lag"/> has been waiting, by the clock of the database; zero when it is current.</value>
    public TimeSpan LagTime { get; init; }

    /// <value>What it does now. Defaults to <see cref="ProjectionState.Following"/>.</value>
    public ProjectionState State { get; init; }

    /// <value>Why it is paused; null when it is not.</value>
    public string? PausedReason { get; init; }

    /// <value>Since when it is paused; null when it is not.</value>
    public DateTimeOffset? PausedAt { get; init; }

    /// <value>The place up to which a rebuild has folded, one that runs or one that was interrupted; null when there is none.</value>
    public long? RebuiltSeq { get; init; }
}
