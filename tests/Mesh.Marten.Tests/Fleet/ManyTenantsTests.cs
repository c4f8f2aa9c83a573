using System.Text.Json;
using EventMesh.Journal;
using EventMesh.Marten.Internal;
using EventMesh.Marten.Projections.Internal;
using EventMesh.Marten.Store;
using EventMesh.Marten.Store.Internal;
using EventMesh.Marten.Tests.Fixture;
using Microsoft.Extensions.Options;
using Npgsql;
using Shouldly;
using Xunit;

namespace EventMesh.Marten.Tests.Fleet;

/// <summary>A fleet of nodes on one database, followed by one process.</summary>
public sealed class ManyTenantsTests(PostgresFixture postgres)
{
    private readonly string _schema = postgres.NewSchema();

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    private FleetServer Server => new(postgres, _schema);

    [Fact]
    public async Task Fifty_logs_are_followed_each_to_its_end_and_none_mixed_with_another()
    {
        await using MartenEventStore store = await postgres.OpenStoreAsync(_schema);
        FleetLog[] logs = [.. Enumerable.Range(1, 50).Select(seed => new FleetLog(seed))];
        await Parallel.ForEachAsync(logs, new ParallelOptions { MaxDegreeOfParallelism = 5, CancellationToken = Cancellation }, async (log, cancellation) =>
        {
            await log.ClaimAsync(store, cancellation);
            for (int i = 0; i < 4; i++)
                await log.AppendAsync(store, cancellation);
        });

        foreach (FleetLog log in logs)
        {
            await log.WaitAsync(store);
            await log.ShouldBeShownAsync(store, Cancellation);
        }
    }

    [Fact]
    public async Task A_burst_of_appends_is_one_look()
    {
        await using MartenEventStore store = await postgres.OpenStoreAsync(_schema);
        var log = new FleetLog(1);
        await log.ClaimAsync(store, Cancellation);
        await log.WaitAsync(store);
        // Holds the projections up in their page while the burst comes.
        await using NpgsqlConnection holding = await Server.OpenAsync();
        await using NpgsqlTransaction transaction = await holding.BeginTransactionAsync(Cancellation);
        await using (var command = new NpgsqlCommand($"select count(*) from (select from {_schema}.projection for update) p", holding, transaction))
            await command.ExecuteScalarAsync(Cancellation);
        await log.AppendAsync(store, 1, Cancellation);
        await Eventually.IsTrueAsync(async _ => (bool)await Server.ScalarAsync($"select count(*) > 0 from pg_stat_activity where wait_event_type = 'Lock' and query like '%{_schema}.projection%for share%'"));
        long before = store.Session.Runner.Rounds;
        for (int i = 0; i < 100; i++)
            await log.AppendAsync(store, 1, Cancellation);
        store.Session.Runner.Rounds.ShouldBe(before);
        await transaction.CommitAsync(Cancellation);
        await log.WaitAsync(store);

        // One for the burst, one for what was told during that one, one by the clock.
        (store.Session.Runner.Rounds - before).ShouldBeLessThanOrEqualTo(3);
    }

    [Fact]
    public async Task The_look_for_a_log_that_is_behind_reads_a_few_pages_by_index_whatever_the_number_of_logs()
    {
        await using MartenEventStore store = await postgres.OpenStoreAsync(_schema);
        await Server.ScalarAsync(
            $"""
            insert into {_schema}.node_log select gen_random_uuid()::text, 1, 1000, now() from generate_series(1, 5000);
            insert into {_schema}.projection_position select p.name, p.generation, n.tenant_id, 1000 from {_schema}.node_log n, {_schema}.projection p
                on conflict do nothing;
            analyze {_schema}.node_log, {_schema}.projection_position;
            select 1
            """);
        string tenant = (string)await Server.ScalarAsync($"update {_schema}.node_log set node_seq = 1001 where tenant_id = (select min(tenant_id) from {_schema}.node_log) returning tenant_id");
        await using NpgsqlConnection connection = await Server.OpenAsync();
        await using NpgsqlCommand explain = Sql.Command(
            connection, "explain (analyze, buffers, format json) " + ProjectionRunner.BehindSql(store.Session.Tables, all: false),
            (object)store.Session.Projections.Select(projection => projection.Name).ToArray(), (object)new[] { tenant });

        using JsonDocument plan = JsonDocument.Parse((string)(await explain.ExecuteScalarAsync(Cancellation))!);

        JsonElement top = plan.RootElement[0].GetProperty("Plan");
        top.GetProperty("Shared Hit Blocks").GetInt64().ShouldBeLessThan(100);
        string text = top.GetRawText();
        text.ShouldContain("node_log_pkey");
        text.ShouldContain("projection_position_pkey");
    }

    [Fact]
    public async Task A_node_works_with_the_fewest_connections_that_are_documented()
    {
        string name = $"least-{_schema}";
        var options = new MeshStoreOptions
        {
            ConnectionString = $"{postgres.ConnectionString};Application Name={name};Maximum Pool Size={ConnectionBudget.Least}",
            Schema = _schema,
        };
        new MeshStoreOptionsValidator().Validate(null, options).Succeeded.ShouldBeTrue();
        await using var store = new MartenEventStore(options, EventRegistry.Default, TimeProvider.System, new TestLog());
        FleetLog[] logs = [new(1), new(2)];
        await store.OpenAsync(logs[0].Node, "", Cancellation);
        foreach (FleetLog log in logs)
            await log.ClaimAsync(store, Cancellation);
        await Task.WhenAll(logs.Select(async log =>
        {
            for (int i = 0; i < 40; i++)
            {
                await log.AppendAsync(store, Cancellation);
                await store.Queries.GetPeersAsync(log.Node, null, Cancellation);
            }
        }));

        foreach (FleetLog log in logs)
        {
            await log.WaitAsync(store);
            await log.ShouldBeShownAsync(store, Cancellation);
        }
        (await Server.ScalarAsync($"select count(*) from pg_stat_activity where application_name = '{name}'")).ShouldBe((object)(long)ConnectionBudget.Least);
    }

    [Fact]
    public void A_pool_that_is_too_small_is_refused_and_one_that_is_not_named_is_small()
    {
        ValidateOptionsResult result = new MeshStoreOptionsValidator().Validate(null, new MeshStoreOptions { ConnectionString = "Host=a;Maximum Pool Size=4" });
        NpgsqlConnectionStringBuilder unnamed = new("Host=a");
        NpgsqlConnectionStringBuilder named = new("Host=a;Maximum Pool Size=100");
        ConnectionBudget.Apply(unnamed, isPrivate: false);
        ConnectionBudget.Apply(named, isPrivate: false);

        result.FailureMessage!.ShouldContain("at least 5");
        unnamed.MaxPoolSize.ShouldBe(ConnectionBudget.Default);
        named.MaxPoolSize.ShouldBe(100);
    }
}
