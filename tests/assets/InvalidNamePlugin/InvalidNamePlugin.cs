using EventMesh.Plugins;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;

namespace InvalidNamePlugin;

public sealed class Plugin : IMeshPlugin
{
    public string Name => "Not a name";

    public IReadOnlyList<string> Channels => [];

    public void Configure(IServiceCollection services, IConfiguration configuration)
    {
    }
}
