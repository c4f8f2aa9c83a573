namespace EventMesh.Marten.Embedded.Internal;

/// <summary>How far an upgrade has come.</summary>
internal enum UpgradeStep
{
    /// <summary>There is a new, empty cluster.</summary>
    Made,

    /// <summary>It holds everything.</summary>
    Copied,

    /// <summary>Its logs were compared with the old ones; both servers have ended.</summary>
    Checked,

    /// <summary>It is noted that the switch begins.</summary>
    Noted,

    /// <summary>The old cluster has its new name.</summary>
    OldMoved,

    /// <summary>The new cluster is in its place.</summary>
    NewMoved,
}
