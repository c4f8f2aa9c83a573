using EventMesh.Conformance;
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

/// <summary>Nodes of two versions on one database: the older one neither goes back to its schema nor passes over what it does not know.</summary>
public sealed class OtherVersionTests(PostgresFixture postgres)
{
    private readonly NodeId _node = new(Guid.NewGuid());

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task An_event_that_the_program_does_not_know_is_refused_and_holds_up_its_projections()
    {
        string schema = postgres.NewSchema();
        EventRegistry older = new(EventRegistry.Default.All.Select(descriptor => descriptor.Type).Where(type => type != typeof(PluginUnloaded)));
        await using NpgsqlConnection lead = await TakeLeadAsync(schema);
        await using MartenEventStore store = await OpenAsync(schema, older);
        await using (MartenEventStore newer = await OpenAsync(schema, EventRegistry.Default))
        {
            await newer.ClaimEpochAsync(_node, EventStoreSamples.Record(1, 1, EventStoreSamples.Started(_node))[0], Cancellation);
            await newer.AppendAsync(_node, EventStoreSamples.Record(1, 2, Joined(1), new PluginUnloaded("x"), Joined(2)), Cancellation);
        }

        MeshException read = await Should.ThrowAsync<MeshException>(() => ReadAsync(store));
        MeshException fold = await Should.ThrowAsync<MeshException>(() => FoldAsync(store));

        read.Error.ShouldBe(MeshError.StoreIncompatible);
        read.Message.ShouldContain("plugin.unloaded.v1");
        fold.Error.ShouldBe(MeshError.StoreIncompatible);
        (await store.Queries.GetPeersAsync(_node, null, Cancellation)).ShouldBeEmpty();
        // The program that knows it goes on where the other stood.
        await using MartenEventStore updated = await OpenAsync(schema, EventRegistry.Default);
        await FoldAsync(updated);
        (await updated.Queries.GetPeersAsync(_node, null, Cancellation)).Count.ShouldBe(2);
    }

    [Fact]
    public async Task A_schema_that_is_upgraded_under_a_node_is_left_to_the_newer_program()
    {
        string schema = postgres.NewSchema();
        await using MartenEventStore store = await OpenAsync(schema, EventRegistry.Default);
        await store.ClaimEpochAsync(_node, EventStoreSamples.Record(1, 1, EventStoreSamples.Started(_node))[0], Cancellation);
        await store.AppendAsync(_node, EventStoreSamples.Record(1, 2, Joined(1)), Cancellation);
        await Eventually.IsTrueAsync(async _ => (await store.Queries.GetPeersAsync(_node, null, Cancellation)).Count == 1);
        await using var connection = new NpgsqlConnection(postgres.ConnectionString + ";Pooling=false");
        await connection.OpenAsync(Cancellation);

        await Sql.ExecuteAsync(connection, $"update {schema}.schema_version set version = version + 1", Cancellation);
        await store.AppendAsync(_node, EventStoreSamples.Record(1, 3, Joined(2)), Cancellation);

        // It gives the lead away: the test can have it.
        await Eventually.IsTrueAsync(_ => Sql.ScalarAsync<bool>(
            connection, "select pg_try_advisory_lock(hashtextextended($1, 0))", Cancellation, $"{schema}.projections"));
        MeshException rebuild = await Should.ThrowAsync<MeshException>(() =>
            new ProjectionRebuild(store.Session.Projections[0], store.Session.Tables).RunAsync(connection, Cancellation));
        rebuild.Error.ShouldBe(MeshError.StoreIncompatible);
        (await store.Queries.GetPeersAsync(_node, null, Cancellation)).Count.ShouldBe(1);
        (await store.GetPositionAsync(_node, Cancellation)).NodeSeq.ShouldBe(3, "its own log it goes on writing");
        (await Should.ThrowAsync<MeshException>(() => OpenAsync(schema, EventRegistry.Default))).Error.ShouldBe(MeshError.StoreIncompatible);
        (await Sql.ScalarAsync<int>(connection, $"select version from {schema}.schema_version", Cancellation)).ShouldBe(StoreSchema.Current + 1);
    }

    [Fact]
    public async Task What_an_older_program_appended_is_read_and_projected_in_the_newest_shape()
    {
        string schema = postgres.NewSchema();
        (IMeshEvent written, ConnectionOpened expected) = OlderEvents.Sample(EventStoreSamples.Peer(1));
        NpgsqlConnection lead = await TakeLeadAsync(schema);
        await using (MartenEventStore before = await OpenAsync(schema, OlderEvents.Before))
        {
            await before.ClaimEpochAsync(_node, EventStoreSamples.Record(1, 1, EventStoreSamples.Started(_node))[0], Cancellation);
            await before.AppendAsync(_node, EventStoreSamples.Record(1, 2, written), Cancellation);
        }
        await lead.DisposeAsync();

        await using MartenEventStore after = await OpenAsync(schema, OlderEvents.After);

        (await ReadAsync(after))[1].Data.ShouldBe(expected);
        await Eventually.IsTrueAsync(async _ => (await after.Queries.GetConnectionsAsync(_node, new ConnectionFilter(), Cancellation)).Any(row => row.Connection == expected.Connection));
    }

    private static PeerJoined Joined(int number) => new(EventStoreSamples.Peer(number), Guid.NewGuid(), PeerKind.Node, [], "a");

    private async Task<MartenEventStore> OpenAsync(string schema, EventRegistry registry)
    {
        var store = new MartenEventStore(
            new MeshStoreOptions { ConnectionString = postgres.ConnectionString, Schema = schema }, registry, TimeProvider.System, new TestLog());
        await store.OpenAsync(_node, "", Cancellation);
        return store;
    }

    // While it is held, no store lets its projections follow by itself.
    private async Task<NpgsqlConnection> TakeLeadAsync(string schema)
    {
        var connection = new NpgsqlConnection(postgres.ConnectionString + ";Pooling=false");
        await connection.OpenAsync(Cancellation);
        (await Sql.ScalarAsync<bool>(connection, "select pg_try_advisory_lock(hashtextextended($1, 0))", Cancellation, $"{schema}.projections")).ShouldBeTrue();
        return connection;
    }

    // One page of the projection, whoever leads.
    private async Task FoldAsync(MartenEventStore store)
    {
        await using NpgsqlConnection connection = await store.Session.Source.OpenConnectionAsync(Cancellation);
        await using NpgsqlTransaction transaction = await connection.BeginTransactionAsync(Cancellation);
        await store.Session.Projections.Single(projection => projection.Name == "peer_directory")
            .FoldPageAsync(connection, LogReader.Tenant(_node), generation: null, page: null, LogReader.PageSize, Cancellation);
        await transaction.CommitAsync(Cancellation);
    }

    private async Task<List<RecordedEvent>> ReadAsync(MartenEventStore store)
    {
        List<RecordedEvent> log = [];
        await foreach (RecordedEvent recorded in store.ReadAsync(_node, 0, null, Cancellation))
            log.Add(recorded);
        return log;
    }
}
