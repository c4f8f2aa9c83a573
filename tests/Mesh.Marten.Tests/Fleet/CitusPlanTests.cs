using EventMesh.Marten.Store;
using EventMesh.Marten.Tests.Fixture;
using Npgsql;
using Shouldly;
using Xunit;

namespace EventMesh.Marten.Tests.Fleet;

/// <summary>
/// The statements of docs/sql/citus.sql, run on the real schema. Citus is not there: its functions are played by ones that refuse what it refuses and
/// take down what they were asked.
/// </summary>
public sealed class CitusPlanTests(PostgresFixture postgres)
{
    private readonly string _schema = postgres.NewSchema();

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    private string Citus => $"{_schema}_citus";

    [Fact]
    public async Task Every_table_is_distributed_by_its_tenant_or_named_as_not_and_the_node_works_with_the_changed_constraints()
    {
        await using MartenEventStore store = await postgres.OpenStoreAsync(_schema);
        await using NpgsqlConnection connection = await new FleetServer(postgres, _schema).OpenAsync();
        await ExecuteAsync(connection, Stubs());

        await ExecuteAsync(connection, await ScriptAsync());

        string[] plan = await ReadAsync(connection, "select logicalrelid::regclass || ' ' || partmethod || ' ' || coalesce(by, '') from pg_dist_partition order by place");
        string[] tables = await ReadAsync(
            connection, $"select oid::regclass::text from pg_class where relnamespace = '{_schema}'::regnamespace and relkind in ('r', 'p') and not relispartition");
        string[] local = [.. tables.Except(plan.Select(line => line.Split(' ')[0]), StringComparer.Ordinal)];
        local.ShouldBe(
            new[] { "mt_doc_deadletterevent", "mt_event_progression", "mt_event_projection_floors", "mt_high_water_skips", "projection_leadership", "schema_version" }
                .Select(name => $"{_schema}.{name}"), ignoreOrder: true);
        plan.Where(line => line.Contains(" n ", StringComparison.Ordinal)).ShouldBe([$"{_schema}.projection n "]);
        plan.ShouldContain($"{_schema}.mt_events h tenant_id");
        plan.ShouldContain($"{_schema}.bootstrap_cache_1 h node_id");
        (await ReadAsync(connection, "select count(distinct companion)::text from pg_dist_partition where partmethod = 'h'"))
            .ShouldBe(["2"], "one company of tables for each type of the column");

        var log = new FleetLog(1);
        await log.ClaimAsync(store, Cancellation);
        await log.AppendAsync(store, Cancellation);
        await log.WaitAsync(store);
        await log.ShouldBeShownAsync(store, Cancellation);
    }

    [Fact]
    public async Task A_second_run_takes_only_what_is_new_and_a_table_without_a_tenant_is_refused_by_name()
    {
        await using MartenEventStore store = await postgres.OpenStoreAsync(_schema);
        await using NpgsqlConnection connection = await new FleetServer(postgres, _schema).OpenAsync();
        await ExecuteAsync(connection, Stubs());
        await ExecuteAsync(connection, await ScriptAsync());
        string[] first = await ReadAsync(connection, "select logicalrelid::regclass::text from pg_dist_partition order by place");

        await ExecuteAsync(connection, $"create table {_schema}.later (node_id uuid primary key)");
        await ExecuteAsync(connection, await ScriptAsync());

        (await ReadAsync(connection, "select logicalrelid::regclass::text from pg_dist_partition order by place")).ShouldBe([.. first, $"{_schema}.later"]);
        await ExecuteAsync(connection, $"create table {_schema}.odd (id int)");
        (await Should.ThrowAsync<PostgresException>(async () => await ExecuteAsync(connection, await ScriptAsync()))).MessageText.ShouldContain($"{_schema}.odd");
        await ExecuteAsync(connection, $"drop table {_schema}.odd; create table {_schema}.odd (tenant_id varchar, id int primary key)");
        (await Should.ThrowAsync<PostgresException>(async () => await ExecuteAsync(connection, await ScriptAsync()))).MessageText.ShouldContain("odd_pkey");
    }

    private string Stubs() =>
        $"""
        create schema {Citus};
        create table {Citus}.pg_dist_partition (place serial, logicalrelid regclass, partmethod text, by text, companion text);
        create function {Citus}.create_reference_table(relation regclass) returns void language sql as
            $f$ insert into {Citus}.pg_dist_partition (logicalrelid, partmethod) values (relation, 'n') $f$;
        create function {Citus}.create_distributed_table(relation regclass, by text, colocate_with text default 'default') returns void language plpgsql as $f$
        begin
            if exists (select from pg_constraint f where f.contype = 'f' and f.conrelid = relation
                and not exists (select from {Citus}.pg_dist_partition d where d.logicalrelid = f.confrelid)) then
                raise exception '% refers to a table that is not distributed', relation;
            end if;
            insert into {Citus}.pg_dist_partition (logicalrelid, partmethod, by, companion)
            values (relation, 'h', by, case colocate_with when 'none' then relation::text
                else (select d.companion from {Citus}.pg_dist_partition d where d.logicalrelid = colocate_with::regclass) end);
        end $f$;
        set search_path = {Citus}, public;
        set mesh.schema = '{_schema}';
        """;

    private static Task<string> ScriptAsync() => File.ReadAllTextAsync(Path.Combine(AppContext.BaseDirectory, "sql", "citus.sql"), Cancellation);

    private static async Task ExecuteAsync(NpgsqlConnection connection, string sql)
    {
        await using var command = new NpgsqlCommand(sql, connection);
        await command.ExecuteNonQueryAsync(Cancellation);
    }

    private static async Task<string[]> ReadAsync(NpgsqlConnection connection, string sql)
    {
        List<string> rows = [];
        await using var command = new NpgsqlCommand(sql, connection);
        await using NpgsqlDataReader reader = await command.ExecuteReaderAsync(Cancellation);
        while (await reader.ReadAsync(Cancellation))
            rows.Add(reader.GetString(0));
        return [.. rows];
    }
}
