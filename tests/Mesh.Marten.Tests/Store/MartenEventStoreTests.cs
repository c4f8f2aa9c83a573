using EventMesh.Conformance;
using EventMesh.Events;
using EventMesh.Journal;
using EventMesh.Marten.Store;
using EventMesh.Marten.Store.Internal;
using EventMesh.Marten.Tests.Fixture;
using JasperFx.Events;
using Marten;
using Marten.Events;
using Microsoft.Extensions.Logging.Abstractions;
using Npgsql;
using Shouldly;
using Xunit;
using EventRegistry = EventMesh.Journal.EventRegistry;
using IEventStore = EventMesh.Journal.IEventStore;

namespace EventMesh.Marten.Tests.Store;

/// <summary>The Marten store keeps the contract, and what only a database can promise.</summary>
public sealed class MartenEventStoreTests(PostgresFixture postgres, MartenEventStoreTests.ClassSchema schema)
    : EventStoreConformanceTests, IClassFixture<MartenEventStoreTests.ClassSchema>
{
    [Fact]
    public async Task A_batch_that_leaves_a_gap_is_refused()
    {
        await ClaimAndAppendAsync([new NodeStopped("a")]);

        (await FailAsync(Store.AppendAsync(Node, EventStoreSamples.Record(1, 4, new NodeStopped("b")), Cancellation)))
            .ShouldBe(MeshError.ConcurrencyConflict);
        await Should.ThrowAsync<ArgumentException>(() => Store.AppendAsync(
            Node, [.. EventStoreSamples.Record(1, 3, new NodeStopped("b")), .. EventStoreSamples.Record(1, 5, new NodeStopped("c"))], Cancellation));
        (await ReadAsync()).Count.ShouldBe(2);
    }

    [Fact]
    public async Task The_database_itself_holds_places_unique()
    {
        await ClaimAndAppendAsync([new NodeStopped("a")]);
        await using NpgsqlConnection connection = await OpenAsync();
        await using var command = new NpgsqlCommand(
            $"""
            insert into {schema.Name}.mt_events (seq_id, id, stream_id, version, data, type, timestamp, tenant_id, mt_dotnet_type, is_archived, headers)
            select nextval('{schema.Name}.mt_events_sequence'), gen_random_uuid(), stream_id, version + 100, data, type, timestamp, tenant_id, '', false, headers
            from {schema.Name}.mt_events where tenant_id = $1
            """,
            connection)
        {
            Parameters = { new() { Value = Node.ToString() } },
        };

        PostgresException exception = await Should.ThrowAsync<PostgresException>(() => command.ExecuteNonQueryAsync(Cancellation));

        exception.ConstraintName.ShouldBe("mesh_events_place");
    }

    [Fact]
    public async Task No_name_of_a_CLR_type_gets_to_disk()
    {
        await ClaimAndAppendAsync(EventStoreSamples.EveryType(Node));
        await using NpgsqlConnection connection = await OpenAsync();
        await using var command = new NpgsqlCommand($"select to_jsonb(e)::text from {schema.Name}.mt_events e where tenant_id = $1", connection)
        {
            Parameters = { new() { Value = Node.ToString() } },
        };

        await using NpgsqlDataReader reader = await command.ExecuteReaderAsync(Cancellation);
        int rows = 0;
        while (await reader.ReadAsync(Cancellation))
        {
            rows++;
            reader.GetString(0).ShouldNotContain("EventMesh.");
            reader.GetString(0).ShouldContain("\"mt_dotnet_type\": \"\"");
        }
        rows.ShouldBe(EventStoreSamples.EveryType(Node).Count + 1);
    }

    [Fact]
    public async Task Marten_reads_the_streams_as_its_own()
    {
        await ClaimAndAppendAsync([new NodeStopped("a")]);
        await Store.AppendAsync(Node, EventStoreSamples.Record(1, 3, new PluginUnloaded("x"), new NodeStopped("b"), new NodeStopped("c")), Cancellation);
        await using NpgsqlDataSource source = NpgsqlDataSource.Create(postgres.ConnectionString);
        using DocumentStore marten = MartenSetup.Build(source, new LogTables(schema.Name!), EventRegistry.Default);
        await using IQuerySession session = marten.QuerySession(Node.ToString());

        IReadOnlyList<IEvent> stream = await session.Events.FetchStreamAsync("node", token: Cancellation);
        StreamState? state = await session.Events.FetchStreamStateAsync("node", Cancellation);

        stream.Select(e => e.Version).ShouldBe([1, 2, 3, 4]);
        stream.Skip(1).Select(e => e.Data).ShouldBe([new NodeStopped("a"), new NodeStopped("b"), new NodeStopped("c")]);
        state.ShouldNotBeNull().Version.ShouldBe(4);
    }

    [Fact]
    public async Task Events_stand_in_the_streams_of_their_families_and_months()
    {
        RecordedEvent[] batch = await ClaimAndAppendAsync([]);
        batch.ShouldBeEmpty();
        DateTimeOffset december = new(2026, 12, 1, 0, 0, 0, TimeSpan.Zero);
        RecordedEvent[] events = EventStoreSamples.Record(1, 2, new PeerLeft(EventStoreSamples.Peer(1), CloseReason.Local), new PeerLeft(EventStoreSamples.Peer(1), CloseReason.Local),
            new CacheEntryEvicted(EventStoreSamples.Peer(1), EvictionReason.ByHand), new PluginUnloaded("x"));
        events[1] = events[1] with { Time = december };
        events[2] = events[2] with { Time = december };
        await Store.AppendAsync(Node, events, Cancellation);
        await using NpgsqlConnection connection = await OpenAsync();
        await using var command = new NpgsqlCommand(
            $"select string_agg(id, ' ' order by id) from {schema.Name}.mt_streams where tenant_id = $1", connection)
        {
            Parameters = { new() { Value = Node.ToString() } },
        };

        string streams = (string)(await command.ExecuteScalarAsync(Cancellation))!;

        streams.ShouldBe("cache/2026-12 node peers/2026-11 peers/2026-12 plugins");
    }

    [Fact]
    public async Task A_newer_schema_is_refused()
    {
        string name = postgres.NewSchema();
        await using (MartenEventStore store = await postgres.OpenStoreAsync(name))
            await store.GetPositionAsync(Node, Cancellation);
        await using (NpgsqlConnection connection = await OpenAsync())
        {
            await using var command = new NpgsqlCommand($"update {name}.schema_version set version = 99", connection);
            await command.ExecuteNonQueryAsync(Cancellation);
        }

        MeshException exception = await Should.ThrowAsync<MeshException>(() => postgres.OpenStoreAsync(name));

        exception.Error.ShouldBe(MeshError.StoreIncompatible);
        exception.Message.ShouldContain("99");
    }

    [Fact]
    public async Task Many_processes_may_make_the_schema_at_once()
    {
        string name = postgres.NewSchema();

        MartenEventStore[] stores = await Task.WhenAll(Enumerable.Range(0, 4).Select(_ => postgres.OpenStoreAsync(name)));

        foreach (MartenEventStore store in stores)
        {
            (await store.GetPositionAsync(Node, Cancellation)).NodeSeq.ShouldBe(0);
            await store.DisposeAsync();
        }
    }

    [Fact]
    public async Task A_server_that_is_not_there_is_reported_as_unavailable()
    {
        await using var store = new MartenEventStore(
            new MeshStoreOptions { ConnectionString = "Host=127.0.0.1;Port=1;Username=nobody;Timeout=2" }, EventRegistry.Default, TimeProvider.System,
            NullLoggerFactory.Instance);

        (await FailAsync(store.OpenAsync(Node, "", Cancellation))).ShouldBe(MeshError.StoreUnavailable);
    }

    protected override async Task<IEventStore> CreateStoreAsync()
    {
        schema.Name ??= postgres.NewSchema();
        return await postgres.OpenStoreAsync(schema.Name);
    }

    private async Task<NpgsqlConnection> OpenAsync()
    {
        var connection = new NpgsqlConnection(postgres.ConnectionString + ";Pooling=false");
        await connection.OpenAsync(Cancellation);
        return connection;
    }

    /// <summary>The schema of this class.</summary>
    public sealed class ClassSchema
    {
        public string? Name { get; set; }
    }
}
