namespace EventMesh.Plugins;

/// <summary>What a plugin does now.</summary>
public enum PluginState
{
    /// <summary>It receives what its channels and handlers ask for.</summary>
    Running,

    /// <summary>It failed too often and receives nothing until it is loaded again.</summary>
    Quarantined,
}
