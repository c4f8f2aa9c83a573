using EventMesh.Dispatch;
using EventMesh.Journal;
using EventMesh.Marten;
using EventMesh.Marten.Audit;
using EventMesh.Marten.Internal;
using EventMesh.Marten.Queries;
using EventMesh.Marten.Retention;
using EventMesh.Marten.Retention.Internal;
using EventMesh.Marten.Store;
using EventMesh.Node;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Options;

namespace Microsoft.Extensions.DependencyInjection;

/// <summary>Keeps the log of a mesh node in PostgreSQL.</summary>
public static class MartenMeshBuilderExtensions
{
    /// <summary>
    /// Registers <see cref="IEventStore"/>, <see cref="ILogImporter"/>, <see cref="ILogAudit"/>, <see cref="IMeshQueries"/> and <see cref="IFleetQueries"/> over PostgreSQL, configured by the section
    /// <c>EventMesh:Store</c> where there is a configuration, then by <paramref name="configure"/>.
    /// </summary>
    public static IMeshBuilder UseMarten(this IMeshBuilder builder, Action<MeshStoreOptions>? configure = null)
    {
        ArgumentNullException.ThrowIfNull(builder);
        IServiceCollection services = builder.Services;
        services.AddOptions<MeshStoreOptions>()
            .Configure<IServiceProvider>((options, provider) =>
            {
                provider.GetService<IConfiguration>()?.GetSection(MeshStoreOptions.SectionName).Bind(options);
                configure?.Invoke(options);
            })
            .ValidateOnStart();
        services.AddOptions<MeshRetentionOptions>()
            .Configure<IServiceProvider>((options, provider) =>
                provider.GetService<IConfiguration>()?.GetSection(MeshRetentionOptions.SectionName).Bind(options))
            .ValidateOnStart();
        services.TryAddEnumerable(ServiceDescriptor.Singleton<IValidateOptions<MeshRetentionOptions>, MeshRetentionOptionsValidator>());
        services.TryAddEnumerable(ServiceDescriptor.Singleton<IValidateOptions<MeshStoreOptions>, MeshStoreOptionsValidator>());
        services.TryAddSingleton(TimeProvider.System);
        services.TryAddSingleton<MartenEventStore>();
        services.TryAddSingleton<IEventStore>(provider => provider.GetRequiredService<MartenEventStore>());
        services.TryAddSingleton<ILogImporter>(provider => provider.GetRequiredService<MartenEventStore>());
        services.TryAddSingleton<IMeshQueries>(provider => provider.GetRequiredService<MartenEventStore>().Queries);
        services.TryAddSingleton<IFleetQueries>(provider => provider.GetRequiredService<MartenEventStore>().Fleet);
        services.TryAddSingleton<SegmentKeeper>();
        services.TryAddSingleton<ISegments>(provider => provider.GetRequiredService<SegmentKeeper>());
        services.TryAddEnumerable(ServiceDescriptor.Singleton<IMeshExtension, SegmentKeeper>(provider => provider.GetRequiredService<SegmentKeeper>()));
        services.TryAddSingleton<ILogAudit>(provider => provider.GetRequiredService<MartenEventStore>().Audit);
        services.TryAddSingleton<ILogPrivacy>(provider => provider.GetRequiredService<MartenEventStore>().Privacy);
        return builder;
    }
}
