using System.Text.RegularExpressions;
using Marten;
using Npgsql;
using EventRegistry = EventMesh.Journal.EventRegistry;

namespace EventMesh.Marten.Store.Internal;

/// <summary>The whole schema as text for psql, Marten's part and ours: makes it, upgrades it, and changes nothing where it is current.</summary>
internal static partial class SchemaScript
{
    public static string Write(LogTables tables, EventRegistry registry)
    {
        // Never opened.
        using NpgsqlDataSource source = NpgsqlDataSource.Create("Host=localhost;Username=nobody");
        using DocumentStore store = MartenSetup.Build(source, tables, registry);
        var schema = new StoreSchema(source, tables);
        return Write(store.Storage.ToDatabaseScript(), schema, tables);
    }

    private static string Write(string marten, StoreSchema schema, LogTables tables) =>
        $"""
        -- EventMesh: makes the schema '{tables.Schema}' of version {StoreSchema.Current}, or upgrades an older one. It may run again. As the role that owns the schema:
        --   psql --set ON_ERROR_STOP=1 --file THIS-FILE DATABASE
        begin;
        set local client_min_messages = warning;
        select pg_advisory_xact_lock({StoreSchema.MigrationLock});
        do $mesh$
        declare
            found int;
        begin
            if to_regclass('{tables.Version}') is not null then
                execute 'select max(version) from {tables.Version}' into found;
                if found > {StoreSchema.Current} then
                    raise exception 'The schema {tables.Schema} has version %, this script makes {StoreSchema.Current}: a newer program made it.', found;
                end if;
            end if;
        end $mesh$;

        -- Marten's part.
        {MakeRepeatable(marten, tables.Schema)}
        {string.Concat(schema.Parts.Select(part => $"-- Since version {part.Since}: {part.Name}.\n{part.Sql}"))}
        {schema.Stamp()}
        commit;

        """.ReplaceLineEndings("\n");

    /// <summary>Marten's script makes tables only where they are missing, but not what belongs to them.</summary>
    internal static string MakeRepeatable(string script, string schema)
    {
        string repeatable = Named().Replace(script, "${what} if not exists ");
        return ForeignKey().Replace(
            repeatable,
            match => $"""
                do $mesh$ begin
                if not exists (select from pg_constraint where conname = '{match.Groups["name"].Value}' and connamespace = '{schema}'::regnamespace) then
                {match.Value}
                end if;
                end $mesh$;
                """);
    }

    [GeneratedRegex(@"^(?<what>create (?:unique )?index|create sequence) (?!if not exists)", RegexOptions.Multiline | RegexOptions.IgnoreCase | RegexOptions.CultureInvariant)]
    private static partial Regex Named();

    [GeneratedRegex(
        @"^alter table [^;]*?add constraint (?<name>\w+) foreign key[^;]*;", RegexOptions.Multiline | RegexOptions.IgnoreCase | RegexOptions.CultureInvariant)]
    internal static partial Regex ForeignKey();
}
