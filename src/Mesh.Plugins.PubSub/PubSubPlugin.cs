using EventMesh.Plugins.PubSub.Internal;
using EventMesh.PubSub;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;

namespace EventMesh.Plugins.PubSub;

/// <summary>Topics between directly joined nodes, as a plugin like any other. docs/pubsub.md has the protocol.</summary>
public sealed class PubSubPlugin : IMeshPlugin
{
    /// <inheritdoc/>
    public string Name => "pubsub";

    /// <inheritdoc/>
    public IReadOnlyList<string> Channels => [TopicCodec.ControlChannel, TopicCodec.DataChannel];

    /// <inheritdoc/>
    public void Configure(IServiceCollection services, IConfiguration configuration)
    {
        ArgumentNullException.ThrowIfNull(services);
        services.AddSingleton<TopicRouter>();
        services.AddSingleton<IPubSubProvider>(provider => provider.GetRequiredService<TopicRouter>());
    }
}
