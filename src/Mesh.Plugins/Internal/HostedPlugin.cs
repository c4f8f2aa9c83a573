using EventMesh.Plugins.Dispatch.Internal;
using EventMesh.Plugins.Loading.Internal;

namespace EventMesh.Plugins.Internal;

/// <summary>A plugin, or the application, that is at work.</summary>
/// <param name="Runner">Its queue and workers.</param>
/// <param name="Version">Its version.</param>
/// <param name="Loaded">Its assemblies and services; null for the application.</param>
internal sealed record HostedPlugin(PluginRunner Runner, string Version, LoadedPlugin? Loaded)
{
    public PluginStatus ToStatus() => new(
        Runner.Name, Version, Loaded?.Folder, Runner.Channels.Patterns,
        Runner.IsQuarantined ? PluginState.Quarantined : PluginState.Running, Runner.Waiting, Runner.Failures);
}
