using System.IO.Compression;
using EventMesh.Conformance;
using EventMesh.Events;
using EventMesh.Identity;
using EventMesh.Journal;
using EventMesh.Marten.Audit;
using EventMesh.Marten.Store;
using EventMesh.Marten.Store.Internal;
using EventMesh.Marten.Tests.Fixture;
using EventMesh.Marten.Tests.Retention;
using EventMesh.Node;
using EventMesh.Projections;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;
using Npgsql;
using Shouldly;
using Xunit;

namespace EventMesh.Marten.Tests.Store;

/// <summary>What a backup holds, what a restore accepts, and that neither lets a log go two ways.</summary>
public sealed class BackupTests(PostgresFixture postgres) : IDisposable
{
    private readonly NodeId _node = new(Guid.NewGuid());
    private readonly TempFolder _folder = new();

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    private string BackupFile => Path.Combine(_folder.Path, "backup.zip");

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task A_backup_of_a_store_in_use_is_restored_event_for_event()
    {
        string schema = postgres.NewSchema();
        await using MartenEventStore store = await FillAsync(schema);
        await using (StoreAdministration administration = await OpenAsync(schema))
            await administration.BackupAsync(BackupFile, Cancellation);
        long end = (await store.GetPositionAsync(_node, Cancellation)).NodeSeq;
        await store.AppendAsync(_node, EventStoreSamples.Record(1, end + 1, new NodeStopped("after the backup")), Cancellation);

        string other = postgres.NewSchema();
        await using StoreAdministration target = await OpenAsync(other);
        IReadOnlyList<LogPosition> logs = await target.RestoreAsync(BackupFile, Cancellation);

        logs.ShouldHaveSingleItem().NodeSeq.ShouldBe(end);
        await using MartenEventStore restored = await postgres.OpenStoreAsync(other);
        List<RecordedEvent> before = await ReadAsync(store);
        List<RecordedEvent> after = await ReadAsync(restored);
        after.Count.ShouldBe((int)end);
        after.Select(recorded => (recorded.Id, recorded.NodeSeq, recorded.Epoch, recorded.Time, Convert.ToHexString(MeshJson.Serialize(recorded.Data))))
            .ShouldBe(before.Take((int)end).Select(recorded => (recorded.Id, recorded.NodeSeq, recorded.Epoch, recorded.Time, Convert.ToHexString(MeshJson.Serialize(recorded.Data)))));
        // It goes on as if nothing had been, sequence included.
        RecordedEvent next = EventStoreSamples.Record(2, end + 1, EventStoreSamples.Started(_node))[0];
        await restored.ClaimEpochAsync(_node, next with { Time = after[^1].Time.AddSeconds(1) }, Cancellation);
        (await restored.GetPositionAsync(_node, Cancellation)).Epoch.ShouldBe(2);
        MeshException again = await Should.ThrowAsync<MeshException>(() => target.RestoreAsync(BackupFile, Cancellation));
        again.Error.ShouldBe(MeshError.StoreIncompatible);
        again.Message.ShouldContain("empty");
        MeshException over = await Should.ThrowAsync<MeshException>(() => target.BackupAsync(BackupFile, Cancellation));
        over.Error.ShouldBe(MeshError.InvalidConfiguration);
    }

    [Theory]
    [InlineData("delete from {0}.mt_events where (headers ->> 'seq')::bigint = 5", "place 6 follows place 4")]
    [InlineData("update {0}.node_log set node_seq = node_seq + 1", "is noted as its end")]
    [InlineData("delete from {0}.mt_events where (headers ->> 'seq')::bigint > 7", "it ends at place 7")]
    [InlineData("update {0}.mt_events set headers = jsonb_set(headers, '{{epoch}}', '7') where (headers ->> 'seq')::bigint = 3", "of epoch 7 instead of 1")]
    public async Task A_log_that_is_not_whole_is_not_restored(string damage, string reason)
    {
        string schema = postgres.NewSchema();
        await using (await FillAsync(schema))
        {
        }
        await ExecuteAsync(string.Format(System.Globalization.CultureInfo.InvariantCulture, damage, schema));
        await using (StoreAdministration administration = await OpenAsync(schema))
            await administration.BackupAsync(BackupFile, Cancellation);
        string other = postgres.NewSchema();
        await using StoreAdministration target = await OpenAsync(other);

        MeshException exception = await Should.ThrowAsync<MeshException>(() => target.RestoreAsync(BackupFile, Cancellation));

        exception.Error.ShouldBe(MeshError.StoreIncompatible);
        exception.Message.ShouldContain(reason);
        await using MartenEventStore store = await postgres.OpenStoreAsync(other);
        (await store.GetPositionAsync(_node, Cancellation)).NodeSeq.ShouldBe(0, "nothing was restored");
    }

    [Theory]
    [InlineData(null, null)]
    // What is gone without an event that tells it, an event without its month, a block that nobody finds.
    [InlineData("delete from {0}.log_block where stream_id = 'cache/2026-01'", "were dropped")]
    [InlineData("update {0}.log_segment set first_seq = first_seq - 1 where stream_id = 'peers/2026-01'", "no event tells that the month")]
    [InlineData("update {0}.log_segment set dropped_seq = null where stream_id = 'peers/2026-01'", "follows place")]
    [InlineData("update {0}.log_block set month = '2020-01-01', family = 'none' where stream_id = 'cache/2026-02'", "follows place")]
    public async Task A_log_with_archived_and_dropped_months_is_restored_as_it_was(string? damage, string? reason)
    {
        await using LogRun run = await LogRun.CreateAsync(postgres);
        EventJournal journal = await run.WriteAsync(perMonth: 800);
        await run.DropAsync(journal, TimeSpan.FromDays(20));
        await journal.StopAsync("done", Cancellation);
        if (damage is not null)
            await run.ScalarAsync(string.Format(System.Globalization.CultureInfo.InvariantCulture, damage, run.Schema));
        await using (StoreAdministration administration = await OpenAsync(run.Schema))
            await administration.BackupAsync(BackupFile, Cancellation);
        string other = postgres.NewSchema();
        await using StoreAdministration target = await OpenAsync(other);

        if (reason is not null)
        {
            (await Should.ThrowAsync<MeshException>(() => target.RestoreAsync(BackupFile, Cancellation))).Message.ShouldContain(reason);
            return;
        }
        (await target.RestoreAsync(BackupFile, Cancellation)).ShouldHaveSingleItem().NodeSeq.ShouldBe(journal.LastNodeSeq);
        foreach (string table in new[] { "event_log", "log_segment", "log_block", "node_log", "mt_streams" })
            (await ContentAsync(other, table)).ShouldBe(await ContentAsync(run.Schema, table), table);
        (await run.ScalarAsync($"select count(*) from {other}.log_block")).ShouldNotBe(0L);
        await using MartenEventStore restored = await postgres.OpenStoreAsync(other);
        AuditReport report = await restored.Audit.VerifyAsync(run.Node, null, Cancellation);
        report.Findings.ShouldBeEmpty();
        report.Dropped.ShouldHaveSingleItem().Month.ShouldBe("2026-01");
        // Blocks alone make a store that is not empty.
        await run.ScalarAsync($"truncate {other}.mt_events, {other}.mt_streams, {other}.node_log, {other}.log_segment");
        (await Should.ThrowAsync<MeshException>(() => target.RestoreAsync(BackupFile, Cancellation))).Message.ShouldContain("empty");

        async Task<string> ContentAsync(string schema, string table) => (string)(await run.ScalarAsync(
            $"select count(*) || md5(string_agg(t::text, ',' order by t::text)) from {schema}.{table} t"))!;
    }

    [Fact]
    public async Task A_file_that_is_no_whole_backup_is_refused()
    {
        string schema = postgres.NewSchema();
        await using (await FillAsync(schema))
        {
        }
        await using StoreAdministration source = await OpenAsync(schema);
        await source.BackupAsync(BackupFile, Cancellation);
        byte[] whole = await File.ReadAllBytesAsync(BackupFile, Cancellation);
        await using StoreAdministration target = await OpenAsync(postgres.NewSchema());

        await File.WriteAllBytesAsync(BackupFile, whole[..(whole.Length / 2)], Cancellation);
        MeshException cut = await Should.ThrowAsync<MeshException>(() => target.RestoreAsync(BackupFile, Cancellation));
        await File.WriteAllBytesAsync(BackupFile, whole, Cancellation);
        await using (ZipArchive archive = await ZipFile.OpenAsync(BackupFile, ZipArchiveMode.Update, Cancellation))
            archive.GetEntry("tables/mt_events")!.Delete();
        MeshException missing = await Should.ThrowAsync<MeshException>(() => target.RestoreAsync(BackupFile, Cancellation));
        MeshException absent = await Should.ThrowAsync<MeshException>(() => target.RestoreAsync(BackupFile + "x", Cancellation));

        cut.Error.ShouldBe(MeshError.StoreIncompatible);
        cut.Message.ShouldContain("no whole backup");
        missing.Message.ShouldContain("mt_events is missing");
        absent.Error.ShouldBe(MeshError.InvalidConfiguration);
    }

    [Fact]
    public async Task A_process_that_ran_on_the_lost_log_can_not_write_into_the_restored_one()
    {
        string schema = postgres.NewSchema();
        await using MartenEventStore store = await FillAsync(schema);
        await using StoreAdministration administration = await OpenAsync(schema);
        await administration.BackupAsync(BackupFile, Cancellation);
        long end = (await store.GetPositionAsync(_node, Cancellation)).NodeSeq;
        await store.AppendAsync(_node, EventStoreSamples.Record(1, end + 1, new NodeStopped("lost")), Cancellation);
        // The database is restored under the process.
        await ExecuteAsync($"truncate {schema}.mt_events, {schema}.mt_streams, {schema}.node_log");
        await administration.RestoreAsync(BackupFile, Cancellation);

        MeshException behind = await Should.ThrowAsync<MeshException>(() =>
            store.AppendAsync(_node, EventStoreSamples.Record(1, end + 2, new NodeStopped("fork")), Cancellation));
        RecordedEvent claim = EventStoreSamples.Record(2, end + 1, EventStoreSamples.Started(_node))[0];
        await store.ClaimEpochAsync(_node, claim with { Time = EventStoreSamples.Start.AddDays(2) }, Cancellation);
        MeshException taken = await Should.ThrowAsync<MeshException>(() =>
            store.AppendAsync(_node, EventStoreSamples.Record(1, end + 2, new NodeStopped("fork")), Cancellation));

        behind.Error.ShouldBe(MeshError.ConcurrencyConflict);
        taken.Error.ShouldBe(MeshError.EpochLost);
    }

    [Fact]
    public async Task A_cloned_data_directory_takes_the_log_over_and_the_original_stops()
    {
        string schema = postgres.NewSchema();
        await using MartenEventStore store = await postgres.OpenStoreAsync(schema);
        await using EventJournal original = Journal(store);
        await original.OpenAsync(_node, Directory("original"), Started, Cancellation);
        await using EventJournal clone = Journal(store);
        await clone.OpenAsync(_node, Directory("clone"), Started, Cancellation);

        original.Record(new PluginUnloaded("fork"));
        MeshException failure = await original.Failed.WaitAsync(TimeSpan.FromMinutes(2), Cancellation);
        RecordedEvent kept = clone.Record(new PluginUnloaded("kept"));
        await clone.WhenDurableAsync(kept, Cancellation);

        failure.Error.ShouldBe(MeshError.EpochLost);
        List<RecordedEvent> log = await ReadAsync(store);
        log.Select(recorded => recorded.NodeSeq).ShouldBe(Enumerable.Range(1, log.Count).Select(place => (long)place));
        log.ShouldContain(recorded => recorded.Id == kept.Id);
        log.ShouldNotContain(recorded => recorded.Data is PluginUnloaded && recorded.Epoch == 1);
    }

    [Fact]
    public async Task A_spool_that_goes_on_from_the_lost_log_is_kept_and_not_written_into_the_restored_one()
    {
        string schema = postgres.NewSchema();
        await using MartenEventStore store = await FillAsync(schema);
        await using StoreAdministration administration = await OpenAsync(schema);
        await administration.BackupAsync(BackupFile, Cancellation);
        long end = (await store.GetPositionAsync(_node, Cancellation)).NodeSeq;
        string data = Directory("old");
        using (var spool = new EventSpool())
        {
            spool.Open(_node, data);
            // Two places after the backup's end: the one between them was committed to the log that is lost.
            spool.Append(EventStoreSamples.Record(1, end + 2, new NodeStopped("fork")));
        }
        await ExecuteAsync($"truncate {schema}.mt_events, {schema}.mt_streams, {schema}.node_log");
        await administration.RestoreAsync(BackupFile, Cancellation);

        await using EventJournal journal = Journal(store);
        MeshException exception = await Should.ThrowAsync<MeshException>(() => journal.OpenAsync(_node, data, Started, Cancellation));

        exception.Error.ShouldBe(MeshError.EpochLost);
        (await store.GetPositionAsync(_node, Cancellation)).NodeSeq.ShouldBe(end);
        using var kept = new EventSpool();
        kept.Open(_node, data);
        kept.Count.ShouldBe(1);
    }

    private static EventJournal Journal(IEventStore store) =>
        new(store, new EventSpool(), TimeProvider.System, Options.Create(new MeshOptions()), NullLogger<EventJournal>.Instance);

    private string Directory(string name) => System.IO.Directory.CreateDirectory(Path.Combine(_folder.Path, name)).FullName;

    private NodeStarted Started(MeshState state) => EventStoreSamples.Started(_node);

    private async Task<MartenEventStore> FillAsync(string schema)
    {
        MartenEventStore store = await postgres.OpenStoreAsync(schema);
        await store.ClaimEpochAsync(_node, EventStoreSamples.Record(1, 1, EventStoreSamples.Started(_node))[0], Cancellation);
        await store.AppendAsync(
            _node, EventStoreSamples.Record(1, 2, [.. EventStoreSamples.EveryType(_node).Where(data => data is not NodeStarted)]), Cancellation);
        return store;
    }

    private Task<StoreAdministration> OpenAsync(string schema) => StoreAdministration.OpenAsync(
        new MeshStoreOptions { ConnectionString = postgres.ConnectionString, Schema = schema }, null, "", TimeProvider.System, new TestLog(), Cancellation);

    private async Task<List<RecordedEvent>> ReadAsync(MartenEventStore store)
    {
        List<RecordedEvent> log = [];
        await foreach (RecordedEvent recorded in store.ReadAsync(_node, 0, null, Cancellation))
            log.Add(recorded);
        return log;
    }

    private async Task ExecuteAsync(string sql)
    {
        await using var connection = new NpgsqlConnection(postgres.ConnectionString + ";Pooling=false");
        await connection.OpenAsync(Cancellation);
        await Sql.ExecuteAsync(connection, sql, Cancellation);
    }
}
