namespace EventMesh.Node;

/// <summary>Where a node is in its life.</summary>
public enum MeshNodeState
{
    /// <summary>Not started, or starting.</summary>
    Starting,

    /// <summary>It accepts and dials peers.</summary>
    Running,

    /// <summary>It says goodbye and writes out its journal.</summary>
    Stopping,

    /// <summary>It has stopped.</summary>
    Stopped,
}
