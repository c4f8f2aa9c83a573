using EventMesh.Plugins;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;

namespace BrokenPlugin;

public sealed class Plugin : IMeshPlugin
{
    public Plugin() => throw new InvalidOperationException("broken on purpose");

    public string Name => "broken";

    public IReadOnlyList<string> Channels => [];

    public void Configure(IServiceCollection services, IConfiguration configuration)
    {
    }
}
