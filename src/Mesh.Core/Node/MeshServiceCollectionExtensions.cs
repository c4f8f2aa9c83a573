using EventMesh.Dispatch;
using EventMesh.Journal;
using EventMesh.Node;
using EventMesh.Transport;
using EventMesh.Transport.Quic;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;

namespace Microsoft.Extensions.DependencyInjection;

/// <summary>Adds a node to an application.</summary>
public static class MeshServiceCollectionExtensions
{
    /// <summary>
    /// Adds a node, which starts and stops with the application's host. It needs a store (<c>UseMarten</c>); other features hang off the
    /// builder too.
    /// </summary>
    /// <param name="services">The application's services.</param>
    public static IMeshBuilder AddEventMesh(this IServiceCollection services)
    {
        ArgumentNullException.ThrowIfNull(services);
        services.AddOptions<MeshOptions>().ValidateOnStart();
        services.TryAddEnumerable(ServiceDescriptor.Singleton<IValidateOptions<MeshOptions>, MeshOptionsValidator>());
        services.TryAddSingleton(TimeProvider.System);
        services.TryAddSingleton<ILoggerFactory>(NullLoggerFactory.Instance);
        services.TryAdd(ServiceDescriptor.Singleton(typeof(ILogger<>), typeof(Logger<>)));
        services.TryAddEnumerable(ServiceDescriptor.Singleton<ITransportProvider, QuicTransportProvider>());
        services.TryAddSingleton<TransportSelector>();
        services.TryAddSingleton<IMessageDispatcher, NoHandlers>();
        services.TryAddSingleton<EventSpool>();
        services.TryAddSingleton<EventJournal>();
        services.TryAddSingleton<IEventJournal>(provider => provider.GetRequiredService<EventJournal>());
        services.TryAddSingleton<MeshNode>();
        services.TryAddSingleton<EventMesh.IMesh>(provider => provider.GetRequiredService<MeshNode>());
        services.TryAddSingleton<IHandlerFailures>(provider => provider.GetRequiredService<MeshNode>());
        services.TryAddSingleton<EventMesh.ITrust>(provider => provider.GetRequiredService<MeshNode>().Trust);
        services.TryAddSingleton<EventMesh.Bootstrap.IBootstrapCache>(provider => provider.GetRequiredService<MeshNode>());
        services.TryAddSingleton<EventMesh.Journal.ILogErasing>(provider => provider.GetRequiredService<MeshNode>());
        services.TryAddSingleton<EventMesh.Journal.ILogSealing>(provider => provider.GetRequiredService<MeshNode>());
        services.TryAddEnumerable(ServiceDescriptor.Singleton<IHostedService, MeshNode>(provider => provider.GetRequiredService<MeshNode>()));
        return new MeshBuilder(services);
    }

    /// <summary>Adds a node with settings made in code.</summary>
    /// <param name="services">The application's services.</param>
    /// <param name="configure">Sets the options.</param>
    public static IMeshBuilder AddEventMesh(this IServiceCollection services, Action<MeshOptions> configure)
    {
        ArgumentNullException.ThrowIfNull(configure);
        IMeshBuilder builder = services.AddEventMesh();
        services.Configure(configure);
        return builder;
    }

    /// <summary>Adds a node with settings from a configuration section, by custom <c>EventMesh</c>.</summary>
    /// <param name="services">The application's services.</param>
    /// <param name="section">The section.</param>
    public static IMeshBuilder AddEventMesh(this IServiceCollection services, IConfiguration section)
    {
        ArgumentNullException.ThrowIfNull(section);
        IMeshBuilder builder = services.AddEventMesh();
        services.Configure<MeshOptions>(section);
        return builder;
    }

    private sealed class MeshBuilder(IServiceCollection services) : IMeshBuilder
    {
        public IServiceCollection Services => services;
    }
}
