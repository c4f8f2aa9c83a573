using EventMesh.Journal;
using JasperFx;
using JasperFx.Events;
using JasperFx.MultiTenancy;
using Marten;
using Marten.Storage;
using Npgsql;
using EventRegistry = EventMesh.Journal.EventRegistry;

namespace EventMesh.Marten.Store.Internal;

/// <summary>Configures Marten.</summary>
internal static class MartenSetup
{
    /// <summary>A store of its own: several may live in one process, and none of it concerns the application's container.</summary>
    public static DocumentStore Build(NpgsqlDataSource source, LogTables tables, EventRegistry registry) =>
        DocumentStore.For(options => Configure(options, source, tables, registry));

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
        // Ours on Marten's table: otherwise its migration would drop them.
        foreach (string index in new StoreSchema(source, tables).Parts.SelectMany(part => SchemaContent.ReadIndexes(part.Sql)))
            options.Events.IgnoreIndex(index);
        foreach (EventDescriptor descriptor in registry.All)
            options.Events.MapEventType(descriptor.Type, descriptor.WireName);
    }
}
