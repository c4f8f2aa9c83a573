using System.Diagnostics;
using EventMesh.Identity;
using EventMesh.Journal;
using EventMesh.Marten.Store;
using EventMesh.Marten.Store.Internal;
using EventMesh.Marten.Tests.Fixture;
using Npgsql;
using Shouldly;
using Xunit;

namespace EventMesh.Marten.Tests.Store;

/// <summary>The schema is made by a node, by a command or by hand from the script: each way ends with the same, and none touches what it does not know.</summary>
public sealed class StoreAdministrationTests(PostgresFixture postgres)
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task The_script_makes_what_the_migration_makes_and_may_run_again()
    {
        string migrated = postgres.NewSchema();
        await using (StoreAdministration store = await OpenAsync(migrated))
            (await store.MigrateAsync(Cancellation)).ShouldBe(0);
        string scripted = postgres.NewSchema();
        string script = StoreAdministration.WriteScript(Options(scripted));

        await RunScriptAsync(script);
        string once = await DescribeAsync(scripted);
        await RunScriptAsync(script);

        once.ShouldBe(await DescribeAsync(migrated));
        (await DescribeAsync(scripted)).ShouldBe(once);
        await using StoreAdministration administration = await OpenAsync(scripted);
        StoreCheck check = await administration.CheckAsync(Cancellation);
        check.Differences.ShouldBeEmpty();
        check.IsCurrent.ShouldBeTrue();
        (await administration.MigrateAsync(Cancellation)).ShouldBe(StoreAdministration.CurrentVersion);
    }

    [Fact]
    public async Task The_script_runs_with_psql()
    {
        if (!File.Exists("/usr/bin/psql"))
            Prerequisites.Missing("psql is not installed.");
        string schema = postgres.NewSchema();
        var builder = new NpgsqlConnectionStringBuilder(postgres.ConnectionString);
        var info = new ProcessStartInfo(
            "psql", ["--set", "ON_ERROR_STOP=1", "--quiet", "-h", builder.Host!, "-p", $"{builder.Port}", "-U", builder.Username!, builder.Database!])
        {
            RedirectStandardInput = true,
            RedirectStandardError = true,
            RedirectStandardOutput = true,
            UseShellExecute = false,
        };
        info.Environment["PGPASSWORD"] = builder.Password;
        using Process psql = Process.Start(info)!;
        Task<string> errors = psql.StandardError.ReadToEndAsync(Cancellation);
        Task<string> output = psql.StandardOutput.ReadToEndAsync(Cancellation);

        await psql.StandardInput.WriteAsync(StoreAdministration.WriteScript(Options(schema)).AsMemory(), Cancellation);
        psql.StandardInput.Close();
        await psql.WaitForExitAsync(Cancellation);
        await output;

        (await errors).ShouldBeEmpty();
        psql.ExitCode.ShouldBe(0);
        await using StoreAdministration store = await OpenAsync(schema);
        (await store.CheckAsync(Cancellation)).Differences.ShouldBeEmpty();
    }

    [Fact]
    public async Task A_node_that_may_not_migrate_says_what_to_run_and_starts_once_that_is_done()
    {
        string schema = postgres.NewSchema();
        MeshException missing = await Should.ThrowAsync<MeshException>(() => OpenNodeAsync(schema));
        await using (StoreAdministration store = await OpenAsync(schema))
            await store.MigrateAsync(Cancellation);
        await ExecuteAsync($"update {schema}.schema_version set version = {StoreAdministration.CurrentVersion - 1}");
        MeshException older = await Should.ThrowAsync<MeshException>(() => OpenNodeAsync(schema));
        await using (StoreAdministration store = await OpenAsync(schema))
            (await store.MigrateAsync(Cancellation)).ShouldBe(StoreAdministration.CurrentVersion - 1);

        await OpenNodeAsync(schema);

        missing.Error.ShouldBe(MeshError.StoreIncompatible);
        missing.Message.ShouldContain($"no schema '{schema}'");
        missing.Message.ShouldContain("mesh store migrate");
        older.Error.ShouldBe(MeshError.StoreIncompatible);
        older.Message.ShouldContain($"has version {StoreAdministration.CurrentVersion - 1}, this program needs {StoreAdministration.CurrentVersion}");
        older.Message.ShouldContain("mesh store script");
    }

    [Fact]
    public async Task A_check_names_what_is_missing()
    {
        string schema = postgres.NewSchema();
        await using StoreAdministration store = await OpenAsync(schema);
        StoreCheck empty = await store.CheckAsync(Cancellation);
        await store.MigrateAsync(Cancellation);
        await ExecuteAsync(
            $"drop index {schema}.mesh_events_place; drop view {schema}.peer_directory; alter table {schema}.node_log rename column time to at; drop index {schema}.idx_mt_events_event_id");

        StoreCheck check = await store.CheckAsync(Cancellation);

        empty.Version.ShouldBe(0);
        empty.IsCurrent.ShouldBeFalse();
        empty.Differences.ShouldHaveSingleItem().ShouldContain(schema);
        check.Version.ShouldBe(StoreAdministration.CurrentVersion);
        check.IsCurrent.ShouldBeFalse();
        check.Differences.ShouldBe(
            ["differs: mt_events (Marten's)", "missing: index mesh_events_place", "missing: column node_log.time", "missing: view peer_directory"], ignoreOrder: true);
    }

    [Fact]
    public async Task A_newer_schema_is_refused_by_migration_and_script_and_left_as_it_is()
    {
        string schema = postgres.NewSchema();
        await using StoreAdministration store = await OpenAsync(schema);
        await store.MigrateAsync(Cancellation);
        await ExecuteAsync($"update {schema}.schema_version set version = 99; drop view {schema}.peer_directory");

        MeshException migration = await Should.ThrowAsync<MeshException>(() => store.MigrateAsync(Cancellation));
        PostgresException script = await Should.ThrowAsync<PostgresException>(() => RunScriptAsync(StoreAdministration.WriteScript(Options(schema))));
        StoreCheck check = await store.CheckAsync(Cancellation);

        migration.Error.ShouldBe(MeshError.StoreIncompatible);
        migration.Message.ShouldContain("version 99");
        script.MessageText.ShouldContain("version 99");
        check.Version.ShouldBe(99);
        check.IsCurrent.ShouldBeFalse();
        check.Differences.ShouldContain("missing: view peer_directory", "neither of them has made it again");
    }

    [Fact]
    public async Task What_grows_with_the_log_has_no_limit_of_time()
    {
        await using var connection = new NpgsqlConnection(postgres.ConnectionString + ";Pooling=false;Command Timeout=1");
        await connection.OpenAsync(Cancellation);

        await Sql.ExecuteLongAsync(connection, "select pg_sleep(1.5)", Cancellation);

        await Should.ThrowAsync<NpgsqlException>(() => Sql.ExecuteAsync(connection, "select pg_sleep(60)", Cancellation));
    }

    [Fact]
    public void What_a_part_makes_is_read_from_its_statements()
    {
        const string Statements =
            """
            -- create table s.not_this (a int);
            create table if not exists s.one (
                id uuid primary key, amount numeric(10, 2) not null, -- create view s.nor_this
                "time" timestamptz, primary key (id), constraint one_check check (amount > 0, id is not null));
            alter table s.two add column if not exists more int;
            create unique index if not exists one_amount on s.one (amount);
            create or replace view s.all_of_it as select 1;
            do $x$ begin create table s.one_1 (a int); create or replace view s.within as select 1; end $x$;
            create or replace function s.f(a int) returns int language sql as $f$ select a $f$;
            """;

        SchemaContent.Read(Statements, "s").ShouldBe(
            ["view all_of_it", "view within", "index one_amount", "function f", "table one", "column one.id", "column one.amount", "column one.time", "column two.more"],
            ignoreOrder: true);
    }

    private MeshStoreOptions Options(string schema) => new() { ConnectionString = postgres.ConnectionString, Schema = schema };

    private Task<StoreAdministration> OpenAsync(string schema) =>
        StoreAdministration.OpenAsync(Options(schema), null, "", TimeProvider.System, new TestLog(), Cancellation);

    private async Task OpenNodeAsync(string schema)
    {
        MeshStoreOptions options = Options(schema);
        options.AutoMigrate = false;
        await using var store = new MartenEventStore(options, EventRegistry.Default, TimeProvider.System, new TestLog());
        await store.OpenAsync(new NodeId(Guid.NewGuid()), "", Cancellation);
    }

    // One connection: the script's transaction is its own.
    private Task RunScriptAsync(string script) => ExecuteAsync(script);

    private async Task ExecuteAsync(string sql)
    {
        await using var connection = new NpgsqlConnection(postgres.ConnectionString + ";Pooling=false");
        await connection.OpenAsync(Cancellation);
        await Sql.ExecuteAsync(connection, sql, Cancellation);
    }

    /// <summary>All that a schema consists of, without its name.</summary>
    private async Task<string> DescribeAsync(string schema)
    {
        await using var connection = new NpgsqlConnection(postgres.ConnectionString + ";Pooling=false");
        await connection.OpenAsync(Cancellation);
        List<string> lines = await Sql.QueryAsync(
            Sql.Command(
                connection,
                """
                select format('%s.%s %s %s', c.relname, a.attname, format_type(a.atttypid, a.atttypmod), a.attnotnull)
                from pg_class c join pg_attribute a on a.attrelid = c.oid where c.relnamespace = $1::regnamespace and a.attnum > 0
                union all select pg_get_indexdef(i.indexrelid) from pg_index i join pg_class c on c.oid = i.indexrelid where c.relnamespace = $1::regnamespace
                union all select conrelid::regclass || ' ' || conname || ' ' || pg_get_constraintdef(oid) from pg_constraint where connamespace = $1::regnamespace
                union all select relname || ' ' || pg_get_viewdef(oid) from pg_class where relnamespace = $1::regnamespace and relkind = 'v'
                union all select pg_get_functiondef(oid) from pg_proc where pronamespace = $1::regnamespace and prokind = 'f'
                union all select relname || ' ' || relkind::text || ' ' || coalesce(reloptions::text, '') from pg_class where relnamespace = $1::regnamespace
                order by 1
                """,
                schema),
            row => row.GetString(0), Cancellation);
        lines.Count.ShouldBeGreaterThan(100);
        return string.Join('\n', lines).Replace(schema, "SCHEMA", StringComparison.Ordinal);
    }
}
