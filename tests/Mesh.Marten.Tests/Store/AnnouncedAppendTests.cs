using EventMesh.Conformance;
using EventMesh.Events;
using EventMesh.Journal;
using EventMesh.Marten.Audit;
using EventMesh.Marten.Store;
using EventMesh.Marten.Tests.Audit;
using EventMesh.Marten.Tests.Fixture;
using Npgsql;
using Shouldly;
using Xunit;

namespace EventMesh.Marten.Tests.Store;

/// <summary>A batch that is sent while the one before it is under way. Somebody keeps the end of the log locked, so that the first waits.</summary>
public sealed class AnnouncedAppendTests(PostgresFixture postgres) : IAsyncLifetime
{
    private AuditedLog _log = null!;
    private NpgsqlConnection _locking = null!;
    private NpgsqlTransaction _lock = null!;

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        _log = await AuditedLog.OpenAsync(postgres);
        await _log.StartAsync();
        await _log.WaitForProjectionsAsync();
        _locking = new NpgsqlConnection(postgres.ConnectionString);
        await _locking.OpenAsync(Cancellation);
        _lock = await _locking.BeginTransactionAsync(Cancellation);
        await using var command = new NpgsqlCommand($"select 1 from {_log.Schema}.node_log where tenant_id = '{_log.Node}' for update", _locking, _lock);
        await command.ExecuteNonQueryAsync(Cancellation);
    }

    public async ValueTask DisposeAsync()
    {
        await _lock.DisposeAsync();
        await _locking.DisposeAsync();
        await _log.DisposeAsync();
    }

    [Fact]
    public async Task It_is_written_behind_the_other_and_seen_when_it_is_appended()
    {
        (RecordedEvent[] first, Task appending) = await BeginAsync();
        RecordedEvent[] next = Batch(4, new PluginUnloaded("next"), new NodeStopped("next"));
        await AnnounceAsync(next);
        appending.IsCompleted.ShouldBeFalse();

        await _lock.RollbackAsync(Cancellation);
        await appending;
        await WhenWrittenAsync();
        // It has not been appended yet.
        (await ReadAsync()).ShouldBe(first);
        await _log.Store.AppendAsync(_log.Node, next, Cancellation);

        (await ReadAsync()).ShouldBe([.. first, .. next]);
        await ShouldBeWholeAsync(lastPlace: 5);
    }

    [Fact]
    public async Task Several_follow_each_other()
    {
        (RecordedEvent[] first, Task appending) = await BeginAsync();
        List<RecordedEvent> all = [.. first];
        RecordedEvent[] next = Batch(4, new PluginUnloaded("1"));
        await AnnounceAsync(next);
        await _lock.RollbackAsync(Cancellation);
        for (int i = 2; i <= 5; i++)
        {
            await appending;
            appending = _log.Store.AppendAsync(_log.Node, next, Cancellation);
            all.AddRange(next);
            next = Batch(3 + i, new PluginUnloaded($"{i}"));
            _log.Store.Prepare(_log.Node, next);
        }
        await appending;
        await _log.Store.AppendAsync(_log.Node, next, Cancellation);

        (await ReadAsync()).ShouldBe([.. all, .. next]);
        await ShouldBeWholeAsync(lastPlace: 8);
    }

    [Fact]
    public async Task Another_may_come_in_its_place()
    {
        (RecordedEvent[] first, Task appending) = await BeginAsync();
        await AnnounceAsync(Batch(4, new PluginUnloaded("announced"), new NodeStopped("announced")));
        RecordedEvent[] other = Batch(4, new NodeStopped("other"));

        await _lock.RollbackAsync(Cancellation);
        await appending;
        await WhenWrittenAsync();
        await _log.Store.AppendAsync(_log.Node, other, Cancellation);

        (await ReadAsync()).ShouldBe([.. first, .. other]);
        await ShouldBeWholeAsync(lastPlace: 4);
    }

    [Fact]
    public async Task Nothing_follows_one_that_is_given_up()
    {
        using var stop = new CancellationTokenSource();
        (RecordedEvent[] first, Task appending) = await BeginAsync(stop.Token);
        RecordedEvent[] next = Batch(4, new PluginUnloaded("next"));
        await AnnounceAsync(next);

        await stop.CancelAsync();
        await Should.ThrowAsync<OperationCanceledException>(() => appending);
        await _lock.RollbackAsync(Cancellation);
        (await ReadAsync()).ShouldBeEmpty();
        await _log.Store.AppendAsync(_log.Node, first, Cancellation);
        await _log.Store.AppendAsync(_log.Node, next, Cancellation);

        (await ReadAsync()).ShouldBe([.. first, .. next]);
        await ShouldBeWholeAsync(lastPlace: 4);
    }

    [Fact]
    public async Task Nothing_follows_one_that_the_database_refuses()
    {
        RecordedEvent[] refused = Batch(2, new PluginUnloaded("once"), new NodeStopped("twice"));
        refused[1] = refused[1] with { Id = refused[0].Id };
        Task appending = await BeginAsync(refused, default);
        RecordedEvent[] next = Batch(4, new PluginUnloaded("next"));
        await AnnounceAsync(next);

        await _lock.RollbackAsync(Cancellation);
        (await Should.ThrowAsync<MeshException>(() => appending)).Error.ShouldBe(MeshError.ConcurrencyConflict);
        (await Should.ThrowAsync<MeshException>(() => _log.Store.AppendAsync(_log.Node, next, Cancellation))).Error.ShouldBe(MeshError.ConcurrencyConflict);

        (await ReadAsync()).ShouldBeEmpty();
        await _log.Store.AppendAsync(_log.Node, Batch(2, new NodeStopped("again")), Cancellation);
        await ShouldBeWholeAsync(lastPlace: 2);
    }

    [Fact]
    public async Task It_ends_with_the_store()
    {
        (_, Task appending) = await BeginAsync();
        await AnnounceAsync(Batch(4, new PluginUnloaded("next")));
        await _lock.RollbackAsync(Cancellation);
        await appending;
        await WhenWrittenAsync();

        await _log.Store.DisposeAsync();

        (await CountAsync("state = 'idle in transaction'")).ShouldBe(0);
        await using MartenEventStore other = await postgres.OpenStoreAsync(_log.Schema);
        await other.AppendAsync(_log.Node, Batch(4, new NodeStopped("other")), Cancellation);
    }

    // Appends two events, at places 2 and 3, and returns when they wait for the lock.
    private async Task<(RecordedEvent[] Batch, Task Appending)> BeginAsync(CancellationToken cancellationToken = default)
    {
        RecordedEvent[] batch = Batch(2, new PluginUnloaded("first"), new NodeStopped("first"));
        return (batch, await BeginAsync(batch, cancellationToken));
    }

    private async Task<Task> BeginAsync(RecordedEvent[] batch, CancellationToken cancellationToken)
    {
        Task appending = _log.Store.AppendAsync(_log.Node, batch, cancellationToken);
        await WhenWaitingAsync(1);
        return appending;
    }

    private async Task AnnounceAsync(RecordedEvent[] batch)
    {
        _log.Store.Prepare(_log.Node, batch);
        await WhenWaitingAsync(2);
    }

    private Task WhenWaitingAsync(int count) => Eventually.IsTrueAsync(async _ => await CountAsync("wait_event_type = 'Lock'") == count);

    private Task WhenWrittenAsync() => Eventually.IsTrueAsync(async _ => await CountAsync("state = 'idle in transaction'") == 1);

    private Task<long> CountAsync(string condition) =>
        _log.ScalarAsync<long>($"select count(*) from pg_stat_activity where {condition} and query like '%into {{s}}.mt_events%' and pid <> pg_backend_pid()");

    private static RecordedEvent[] Batch(long first, params IMeshEvent[] events) => EventStoreSamples.Record(1, first, events);

    // Without the first, the start.
    private async Task<List<RecordedEvent>> ReadAsync() =>
        await _log.Store.ReadAsync(_log.Node, 1, families: null, Cancellation).ToListAsync(Cancellation);

    private async Task ShouldBeWholeAsync(long lastPlace)
    {
        AuditReport report = await _log.VerifyAsync();
        report.Findings.ShouldBeEmpty();
        report.LastPlace.ShouldBe(lastPlace);
        report.Head.ShouldBe((await _log.HeadAsync()).Hash);
        (await CountAsync("state = 'idle in transaction'")).ShouldBe(0);
    }
}
