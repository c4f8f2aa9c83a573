using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;

namespace EventMesh.Plugins;

/// <summary>
/// The one entry point of a plugin assembly: a public class with a parameterless constructor. The host gives each plugin a
/// container of its own, with <see cref="IMesh"/>, <see cref="IPluginLog"/>, <see cref="TimeProvider"/>, the configuration section and
/// logging in it, and finds its MediatR handlers by scanning the assembly.
/// </summary>
public interface IMeshPlugin
{
    /// <summary>The plugin's name, unique in a node: 1 to 64 characters a-z, 0-9 and hyphen; <c>app</c> is taken by the application.</summary>
    string Name { get; }

    /// <summary>The channels whose messages and requests the plugin handles; <c>*</c> as the last character matches any rest.</summary>
    IReadOnlyList<string> Channels { get; }

    /// <summary>Adds the plugin's own services.</summary>
    /// <param name="services">The plugin's container.</param>
    /// <param name="configuration">A copy of the plugin's section <c>EventMesh:Plugins:Settings:&lt;name&gt;</c>, as it was when the plugin was loaded.</param>
    void Configure(IServiceCollection services, IConfiguration configuration);
}
