namespace EventMesh.Plugins;

/// <summary>The version of the contract between host and plugins.</summary>
/// <remarks>
/// A plugin need not state it: a constant would be copied into the plugin at compile time, so the host reads the version of
/// EventMesh.Abstractions that the compiler wrote into the plugin's references. Its major is <see cref="Version"/>; a plugin compiled for a
/// higher minor needs a newer host.
/// </remarks>
public static class PluginApi
{
    /// <summary>The version that this assembly is. A host loads plugins that were compiled for the same major version.</summary>
    public const int Version = 1;
}
