using EventMesh.Journal;
using JasperFx;
using JasperFx.Events;
using JasperFx.MultiTenancy;
using Marten;
using Marten.Storage;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Npgsql;
using EventRegistry = EventMesh.Journal.EventRegistry;

namespace EventMesh.Marten.Store.Internal;

/// <summary>Configures Marten.</summary>
internal static class MartenSetup
{
    /// <summary>A container of Marten's own: several stores may live in one process, and none of it concerns the application's.</summary>
    public static ServiceProvider Build(
        NpgsqlDataSource source, LogTables tables, EventRegistry registry, ILoggerFactory loggerFactory)
    {
        var services = new ServiceCollection();
        services.AddSingleton(loggerFactory);
        services.AddSingleton(typeof(ILogger<>), typeof(Logger<>));
        services.AddMarten(options => Configure(options, source, tables, registry));
        return services.BuildServiceProvider();
    }

    private static void Configure(StoreOptions options, NpgsqlDataSource source, LogTables tables, EventRegistry registry)
    {
        options.Connection(source);
        options.DatabaseSchemaName = tables.Schema;
        // StoreSchema alone changes tables.
        options.AutoCreateSchemaObjects = AutoCreate.None;
        options.Serializer(new EventSerializer());
        options.Events.DatabaseSchemaName = tables.Schema;
        options.Events.StreamIdentity = StreamIdentity.AsString;
        options.Events.TenancyStyle = TenancyStyle.Conjoined;
        options.Events.AppendMode = EventAppendMode.QuickWithServerTimestamps;
        options.Events.EnableUniqueIndexOnEventId = true;
        options.Events.EnableBigIntEvents = true;
        options.Events.MetadataConfig.HeadersEnabled = true;
        foreach (EventDescriptor descriptor in registry.All)
            options.Events.MapEventType(descriptor.Type, descriptor.WireName);
    }
}
