using System.Reflection;
using EventMesh.Dispatch;
using EventMesh.Node;
using EventMesh.Plugins;
using EventMesh.Plugins.Dispatch.Internal;
using EventMesh.Plugins.Internal;
using EventMesh.Plugins.Loading.Internal;
using EventMesh.Plugins.PubSub.Internal;
using EventMesh.PubSub;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;

namespace Microsoft.Extensions.DependencyInjection;

/// <summary>Plugins and handlers for a node.</summary>
public static class MeshBuilderPluginExtensions
{
    /// <summary>
    /// Loads the plugins of <see cref="PluginOptions.Directory"/> when the node starts, with the settings of the section
    /// <see cref="PluginOptions.SectionName"/>. May be called more than once.
    /// </summary>
    /// <param name="builder">The node.</param>
    /// <param name="configure">Changes the settings after the section was read.</param>
    public static IMeshBuilder AddPlugins(this IMeshBuilder builder, Action<PluginOptions>? configure = null)
    {
        ArgumentNullException.ThrowIfNull(builder);
        AddHost(builder.Services);
        if (configure is not null)
            builder.Services.Configure(configure);
        return builder;
    }

    /// <summary>
    /// Finds the MediatR handlers of an assembly of the application and calls them like those of a plugin named <c>app</c> that asks for all
    /// channels. They are resolved from the application's container, a scope for each message; a request comes to them when no plugin takes it.
    /// </summary>
    /// <param name="builder">The node.</param>
    /// <param name="assembly">The assembly; naming it again changes nothing.</param>
    public static IMeshBuilder AddHandlers(this IMeshBuilder builder, Assembly assembly)
    {
        ArgumentNullException.ThrowIfNull(builder);
        ArgumentNullException.ThrowIfNull(assembly);
        AddHost(builder.Services);
        if (builder.Services.Any(service => service.ServiceType == typeof(ScannedAssembly) && ((ScannedAssembly)service.ImplementationInstance!).Assembly == assembly))
            return builder;
        builder.Services.AddSingleton(new ScannedAssembly(assembly));
        new HandlerSet().Scan(assembly).AddTo(builder.Services);
        return builder;
    }

    /// <summary>Does what <see cref="AddHandlers"/> does for the assembly of a type.</summary>
    /// <typeparam name="T">A type of the assembly.</typeparam>
    /// <param name="builder">The node.</param>
    public static IMeshBuilder AddHandlersFrom<T>(this IMeshBuilder builder) => builder.AddHandlers(typeof(T).Assembly);

    private static void AddHost(IServiceCollection services)
    {
        if (services.Any(service => service.ServiceType == typeof(PluginDispatcher)))
            return;
        services.AddOptions<PluginOptions>()
            .Configure<IServiceProvider>((options, provider) =>
                provider.GetService<IConfiguration>()?.GetSection(PluginOptions.SectionName).Bind(options))
            .ValidateOnStart();
        services.TryAddEnumerable(ServiceDescriptor.Singleton<IValidateOptions<PluginOptions>, PluginOptionsValidator>());
        services.TryAddSingleton(TimeProvider.System);
        services.TryAddSingleton<ILoggerFactory>(NullLoggerFactory.Instance);
        services.AddSingleton<PluginDispatcher>();
        services.AddSingleton<PubSubHub>();
        services.AddSingleton<PluginPubSub>();
        services.TryAddSingleton<IPubSub>(provider => provider.GetRequiredService<PluginPubSub>());
        // Instead of the node's own, which has no handlers.
        services.Replace(ServiceDescriptor.Singleton<IMessageDispatcher>(provider => provider.GetRequiredService<PluginDispatcher>()));
        services.AddSingleton(provider => new PluginHost(provider, provider.GetRequiredService<PluginDispatcher>(), ScanAll(provider)));
        services.TryAddEnumerable(ServiceDescriptor.Singleton<IMeshExtension, PluginHost>(provider => provider.GetRequiredService<PluginHost>()));
    }

    private static ApplicationHandlers ScanAll(IServiceProvider provider)
    {
        Assembly[] assemblies = [.. provider.GetServices<ScannedAssembly>().Select(scanned => scanned.Assembly)];
        var handlers = new HandlerSet();
        foreach (Assembly assembly in assemblies)
            handlers.Scan(assembly);
        return new ApplicationHandlers(handlers, assemblies.Length == 0 ? null : PluginLoader.VersionOf(assemblies[0]));
    }

    private sealed record ScannedAssembly(Assembly Assembly);
}
