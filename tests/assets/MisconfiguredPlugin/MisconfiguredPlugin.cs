using EventMesh.Plugins;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;

namespace MisconfiguredPlugin;

public sealed class Plugin : IMeshPlugin
{
    public string Name => "misconfigured";

    public IReadOnlyList<string> Channels => ["any"];

    public void Configure(IServiceCollection services, IConfiguration configuration)
    {
        if (configuration["Key"] is null)
            throw new InvalidOperationException("the setting Key is missing");
        if (configuration["Key"] == "hang")
            Thread.Sleep(Timeout.Infinite);
    }
}
