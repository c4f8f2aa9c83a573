namespace EventMesh.Host.Endpoints;

/// <summary>What the control interface tells of the running node beyond <see cref="IMesh"/> and the journal.</summary>
internal interface INodeStatus
{
    /// <summary>The log's tenant.</summary>
    NodeId NodeId { get; }

    /// <summary>Whether the node takes commands.</summary>
    bool IsRunning { get; }

    /// <summary>How the node fares.</summary>
    HealthView GetHealth();

    /// <summary>The node now.</summary>
    NodeView GetView();
}
