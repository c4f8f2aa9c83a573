using EventMesh.Plugins;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;

namespace TwoPlugins;

public abstract class Plugin : IMeshPlugin
{
    public abstract string Name { get; }

    public IReadOnlyList<string> Channels => [];

    public void Configure(IServiceCollection services, IConfiguration configuration)
    {
    }
}

public sealed class First : Plugin
{
    public override string Name => "first";
}

public sealed class Second : Plugin
{
    public override string Name => "second";
}
