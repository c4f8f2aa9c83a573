using System.Globalization;
using EventMesh.Events;
using EventMesh.Identity;
using EventMesh.Journal;
using EventMesh.Marten.Projections.Internal;
using EventMesh.Marten.Queries;
using EventMesh.Marten.Store;
using EventMesh.Marten.Store.Internal;
using EventMesh.Marten.Tests.Fixture;
using Npgsql;
using Shouldly;
using Xunit;

namespace EventMesh.Marten.Tests.Store;

/// <summary>What an older program left becomes what this one expects, with its content.</summary>
public sealed class SchemaUpgradeTests(PostgresFixture postgres)
{
    // The two nodes of Golden/schema-1.sql; schema-2.sql has a third one besides.
    private static readonly NodeId First = NodeId.Parse("f3912daf-2b72-45be-b41c-d0d033c78b94");
    private static readonly NodeId Second = NodeId.Parse("f1f03039-3c6e-4d15-8c5e-765dd3c91b78");

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public async Task A_schema_of_an_older_version_is_upgraded_with_all_it_holds(int version)
    {
        string schema = postgres.NewSchema();
        await using NpgsqlConnection connection = await RestoreAsync(schema, version);

        await using MartenEventStore store = await postgres.OpenStoreAsync(schema);

        (await Sql.ScalarAsync<int>(connection, $"select version from {schema}.schema_version", Cancellation)).ShouldBe(StoreSchema.Current);
        foreach (NodeId node in (NodeId[])[First, Second])
        {
            List<RecordedEvent> log = [];
            await foreach (RecordedEvent recorded in store.ReadAsync(node, 0, null, Cancellation))
                log.Add(recorded);
            log.Select(recorded => recorded.NodeSeq).ShouldBe(Enumerable.Range(1, 14).Select(place => (long)place));
            log[0].Data.ShouldBeOfType<NodeStarted>();
        }
        LogPosition end = await store.GetPositionAsync(First, Cancellation);
        await store.ClaimEpochAsync(First, new RecordedEvent(Guid.NewGuid(), end.Epoch + 1, end.NodeSeq + 1, end.Time.AddSeconds(1), Started(), null), Cancellation);
        (await store.GetPositionAsync(First, Cancellation)).ShouldBe(new LogPosition(2, 15, end.Time.AddSeconds(1)));

        NodeStarted Started() => (NodeStarted)Conformance.EventStoreSamples.Started(First);
    }

    [Fact]
    public async Task An_upgrade_leaves_the_views_on_the_generation_that_a_rebuild_put_in_use()
    {
        string schema = postgres.NewSchema();
        await using NpgsqlConnection connection = await RestoreAsync(schema, version: 1);
        string before = await RowsAsync(connection, schema);
        await Sql.ExecuteAsync(
            connection,
            $"""
            create table {schema}.peer_directory_2 as select * from {schema}.peer_directory_1;
            create or replace view {schema}.peer_directory_history as
                select node_id, peer, instance, kind, endpoints, agent, joined_at, valid, from_seq, to_seq from {schema}.peer_directory_2;
            create or replace view {schema}.peer_directory as
                select node_id, peer, instance, kind, endpoints, agent, joined_at, lower(valid) as since, from_seq from {schema}.peer_directory_2 where to_seq is null;
            drop table {schema}.peer_directory_1;
            update {schema}.projection set generation = 2 where name = 'peer_directory';
            """,
            Cancellation);

        await (await postgres.OpenStoreAsync(schema)).DisposeAsync();

        (await RowsAsync(connection, schema)).ShouldBe(before);
        before.ShouldNotBeEmpty();
        (await Sql.ScalarAsync<bool>(connection, "select to_regclass($1) is null", Cancellation, $"{schema}.peer_directory_1")).ShouldBeTrue();
    }

    [Fact]
    public async Task An_upgrade_from_version_2_gives_the_tables_in_use_another_index_on_their_intervals()
    {
        string schema = postgres.NewSchema();
        await using NpgsqlConnection connection = await RestoreAsync(schema, version: 2);
        (await IndexesAsync("gist")).ShouldBe("bootstrap_cache_2_valid connection_history_2_standing mesh_topology_2_valid node_status_2_valid peer_directory_2_valid trust_ledger_2_valid");

        await using MartenEventStore store = await postgres.OpenStoreAsync(schema);

        (await IndexesAsync("gist")).ShouldBeEmpty();
        (await IndexesAsync("ceil")).ShouldBe("bootstrap_cache_2_held connection_history_2_held mesh_topology_2_held node_status_2_held peer_directory_2_held trust_ledger_2_held");
        DateTimeOffset met = DateTimeOffset.Parse("2026-11-23T01:07:22Z", CultureInfo.InvariantCulture);
        (await store.Queries.GetPeersAsync(First, met, Cancellation)).ShouldHaveSingleItem();
        (await store.Queries.GetConnectionsAsync(First, new ConnectionFilter { OpenAt = met }, Cancellation)).Count.ShouldBe(2);

        async Task<string> IndexesAsync(string definition) => await Sql.ScalarAsync<string>(
            connection, "select coalesce(string_agg(indexname, ' ' order by indexname), '') from pg_indexes where schemaname = $1 and indexdef ~ $2", Cancellation, schema, definition);
    }

    private static Task<string> RowsAsync(NpgsqlConnection connection, string schema) => Sql.ScalarAsync<string>(
        connection, $"select coalesce(string_agg(peer || valid, ' ' order by node_id, from_seq), '') from {schema}.peer_directory_history", Cancellation);

    private async Task<NpgsqlConnection> RestoreAsync(string schema, int version)
    {
        var connection = new NpgsqlConnection(postgres.ConnectionString + ";Pooling=false");
        await connection.OpenAsync(Cancellation);
        string dump = await File.ReadAllTextAsync(Path.Combine(AppContext.BaseDirectory, "Store", "Golden", $"schema-{version}.sql"), Cancellation);
        string sql = dump.Replace("mesh.", schema + ".", StringComparison.Ordinal).Replace("SCHEMA mesh;", $"SCHEMA {schema};", StringComparison.Ordinal);
        await Sql.ExecuteAsync(connection, sql, Cancellation);
        return connection;
    }
}
