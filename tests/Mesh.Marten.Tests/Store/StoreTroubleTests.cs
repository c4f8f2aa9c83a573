using EventMesh.Conformance;
using EventMesh.Events;
using EventMesh.Identity;
using EventMesh.Journal;
using EventMesh.Marten.Store;
using EventMesh.Marten.Store.Internal;
using EventMesh.Marten.Tests.Fixture;
using EventMesh.Node;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;
using Npgsql;
using Shouldly;
using Xunit;

namespace EventMesh.Marten.Tests.Store;

/// <summary>A database that is slow, takes no writes or goes away: the journal says so, keeps what it is given, and brings it there when it is well again.</summary>
public sealed class StoreTroubleTests(PostgresFixture postgres) : IAsyncLifetime
{
    private static readonly TimeSpan Limit = TimeSpan.FromMinutes(2);
    private readonly string _database = "trouble_" + Guid.NewGuid().ToString("N");
    private readonly NodeId _node = new(Guid.NewGuid());
    private readonly TempFolder _folder = new();

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    private string ConnectionString => new NpgsqlConnectionStringBuilder(postgres.ConnectionString) { Database = _database }.ConnectionString;

    public async ValueTask InitializeAsync() => await ExecuteAsync($"create database {_database}", postgres.ConnectionString);

    public async ValueTask DisposeAsync()
    {
        await ExecuteAsync($"drop database if exists {_database} with (force)", postgres.ConnectionString);
        _folder.Dispose();
    }

    [Fact]
    public async Task Commits_of_half_a_second_make_events_durable_in_the_spool_and_lose_none()
    {
        await using MartenEventStore store = await OpenAsync();
        await using EventJournal journal = await StartAsync(store);
        await ExecuteAsync(
            """
            create function public.slow() returns trigger language plpgsql as 'begin perform pg_sleep(0.5); return null; end';
            create constraint trigger slow after update on mesh.node_log deferrable initially deferred for each row execute function public.slow();
            """,
            ConnectionString);

        List<RecordedEvent> recorded = [.. Enumerable.Range(1, 20).Select(number => journal.Record(new PluginUnloaded($"p{number}")))];
        JournalState state = JournalState.Live;
        await Eventually.IsTrueAsync(() => (state = journal.Status.State) != JournalState.Live);
        await journal.WhenDurableAsync(recorded[^1], Cancellation).WaitAsync(Limit, Cancellation);
        state.ShouldBeOneOf(JournalState.Spooling, JournalState.Draining);
        await ExecuteAsync("drop trigger slow on mesh.node_log", ConnectionString);

        await AssertCaughtUpAsync(journal, store, recorded);
    }

    [Fact]
    public async Task A_database_that_takes_no_writes_and_then_no_connections_is_waited_for()
    {
        await using MartenEventStore store = await OpenAsync();
        await using EventJournal journal = await StartAsync(store);
        List<RecordedEvent> recorded = [journal.Record(new PluginUnloaded("before"))];
        await Eventually.IsTrueAsync(() => journal.Status.LastCommitted >= recorded[0].NodeSeq);

        await DisturbAsync("set default_transaction_read_only = on");
        recorded.Add(journal.Record(new PluginUnloaded("read only")));
        await Eventually.IsTrueAsync(() => journal.Status.State == JournalState.Spooling);
        MeshException readOnly = await Should.ThrowAsync<MeshException>(() =>
            store.AppendAsync(_node, EventStoreSamples.Record(9, 99, new NodeStopped("x")), Cancellation));
        await DisturbAsync("allow_connections false");
        recorded.Add(journal.Record(new PluginUnloaded("away")));
        await journal.WhenDurableAsync(recorded[^1], Cancellation).WaitAsync(Limit, Cancellation);
        journal.Status.State.ShouldBe(JournalState.Spooling);
        await DisturbAsync("allow_connections true");
        await DisturbAsync("reset default_transaction_read_only");

        await AssertCaughtUpAsync(journal, store, recorded);
        readOnly.Error.ShouldBe(MeshError.StoreUnavailable);
        readOnly.Message.ShouldContain("read-only");
    }

    [Fact]
    public async Task A_read_only_database_without_a_schema_is_unavailable_not_incompatible()
    {
        await DisturbAsync("set default_transaction_read_only = on");

        MeshException exception = await Should.ThrowAsync<MeshException>(OpenAsync);

        exception.Error.ShouldBe(MeshError.StoreUnavailable);
        exception.IsTransient.ShouldBeTrue();
        exception.Message.ShouldContain("read-only");
    }

    private async Task AssertCaughtUpAsync(EventJournal journal, MartenEventStore store, List<RecordedEvent> recorded)
    {
        await Eventually.IsTrueAsync(() => journal.Status is { State: JournalState.Live } status && status.LastCommitted >= recorded[^1].NodeSeq);
        List<RecordedEvent> log = [];
        await foreach (RecordedEvent stored in store.ReadAsync(_node, 0, null, Cancellation))
            log.Add(stored);
        log.Select(stored => stored.NodeSeq).ShouldBe(Enumerable.Range(1, log.Count).Select(place => (long)place));
        log.Where(stored => stored.Data is PluginUnloaded).Select(stored => stored.Id).ShouldBe(recorded.Select(each => each.Id));
    }

    private async Task<MartenEventStore> OpenAsync()
    {
        var store = new MartenEventStore(
            new MeshStoreOptions { ConnectionString = ConnectionString }, EventRegistry.Default, TimeProvider.System, NullLoggerFactory.Instance);
        try
        {
            await store.OpenAsync(_node, "", Cancellation);
            return store;
        }
        catch
        {
            await store.DisposeAsync();
            throw;
        }
    }

    private async Task<EventJournal> StartAsync(IEventStore store)
    {
        var journal = new EventJournal(store, new EventSpool(), TimeProvider.System, Options.Create(new MeshOptions()), NullLogger<EventJournal>.Instance);
        await journal.OpenAsync(_node, _folder.Path, _ => EventStoreSamples.Started(_node), Cancellation);
        return journal;
    }

    // For all connections: those that stand are ended.
    private Task DisturbAsync(string setting) => ExecuteAsync(
        $"alter database {_database} {setting}; select pg_terminate_backend(pid) from pg_stat_activity where datname = '{_database}'", postgres.ConnectionString);

    private static async Task ExecuteAsync(string sql, string connectionString)
    {
        await using var connection = new NpgsqlConnection(connectionString + ";Pooling=false");
        await connection.OpenAsync(Cancellation);
        // Each by itself: some of them can't be in a transaction with others.
        foreach (string statement in sql.StartsWith("alter database", StringComparison.Ordinal) ? sql.Split("; ") : [sql])
            await Sql.ExecuteAsync(connection, statement, Cancellation);
    }
}
