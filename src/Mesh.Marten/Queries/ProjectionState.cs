namespace EventMesh.Marten.Queries;

/// <summary>What a projection does.</summary>
public enum ProjectionState
{
    /// <summary>It follows the log.</summary>
    Following,

    /// <summary>It follows the log while it is folded anew beside.</summary>
    Rebuilding,

    /// <summary>It can't fold what comes next in the log: it skips nothing and tries again every 5 s.</summary>
    Paused,
}
