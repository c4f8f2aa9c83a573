using EventMesh.Plugins.Dispatch.Internal;
using EventMesh.Plugins.PubSub.Internal;
using Microsoft.Extensions.DependencyInjection;

namespace EventMesh.Plugins.Loading.Internal;

/// <summary>A plugin that is loaded and configured. Whoever unloads it keeps no reference to it.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Version">Its assembly's version.</param>
/// <param name="Folder">Its folder.</param>
/// <param name="Channels">The patterns of its channels.</param>
/// <param name="Handlers">Its handlers.</param>
/// <param name="Services">Its container.</param>
/// <param name="Topics">The topics as it sees them.</param>
/// <param name="Context">Its assemblies.</param>
internal sealed record LoadedPlugin(
    string Name, string Version, string Folder, ChannelPatterns Channels, HandlerSet Handlers, ServiceProvider Services, PluginPubSub Topics,
    PluginLoadContext Context);
