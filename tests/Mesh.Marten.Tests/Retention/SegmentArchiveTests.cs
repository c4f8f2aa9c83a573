using EventMesh.Conformance;
using EventMesh.Events;
using EventMesh.Journal;
using EventMesh.Marten.Tests.Fixture;
using Npgsql;
using Shouldly;
using Xunit;

namespace EventMesh.Marten.Tests.Retention;

/// <summary>Closed months leave the table of events, and nobody who reads the log notices.</summary>
public sealed class SegmentArchiveTests(PostgresFixture postgres)
{
    private static readonly HashSet<StreamFamily> Trust = [StreamFamily.Trust];
    private static readonly HashSet<StreamFamily> CacheAndTrust = [StreamFamily.Cache, StreamFamily.Trust];

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_log_with_archived_months_reads_as_before_from_every_place_and_also_half_way()
    {
        await using LogRun run = await LogRun.CreateAsync(postgres);
        await run.WriteAsync(perMonth: 4000);
        string whole = await run.TextAsync();
        string part = await run.TextAsync(1234);
        string families = await run.TextAsync(0, CacheAndTrust);
        string view = await run.ViewAsync();
        string projections = await run.ProjectionsAsync();
        Guid[] ids = [.. (await run.ReadAsync()).Select(recorded => recorded.Id)];

        // As if the process had been killed between two blocks.
        (await run.MoveAsync(blocks: 3)).ShouldBe(3);
        await ShouldReadAsBeforeAsync();
        (await run.MoveAsync()).ShouldBeGreaterThan(3);
        await ShouldReadAsBeforeAsync();

        await run.RebuildAsync();
        (await run.ProjectionsAsync()).ShouldBe(projections);
        (await run.ScalarAsync($"select count(*) from {run.Schema}.mt_events where stream_id ~ '^(peers|cache)/2026-0[12]'")).ShouldBe(0L);
        (await run.ScalarAsync($"select string_agg(id, ' ' order by id) from {run.Schema}.mt_streams where is_archived"))
            .ShouldBe("cache/2026-01 cache/2026-02 peers/2026-01 peers/2026-02");
        (await run.ScalarAsync($"select max(count) from {run.Schema}.log_block")).ShouldBe(1000);
        (await run.MoveAsync()).ShouldBe(0);

        async Task ShouldReadAsBeforeAsync()
        {
            (await run.TextAsync()).ShouldBe(whole);
            (await run.TextAsync(1234)).ShouldBe(part);
            (await run.TextAsync(0, CacheAndTrust)).ShouldBe(families);
            (await run.ViewAsync()).ShouldBe(view);
            (await run.Store.FindAsync(run.Node, [.. ids, Guid.CreateVersion7()], Cancellation)).ShouldBe(ids, ignoreOrder: true);
        }
    }

    [Fact]
    public async Task The_beginning_of_the_last_month_is_found_wherever_the_month_stands()
    {
        await using LogRun run = await LogRun.CreateAsync(postgres);
        (await run.Store.FindMonthAsync(run.Node, Cancellation)).ShouldBeNull();
        EventJournal journal = await run.WriteAsync();
        List<RecordedEvent> log = await run.ReadAsync();
        long month = log.FindLast(recorded => recorded.Data is PeersSegmentOpened)!.NodeSeq;
        string trust = await run.TextAsync(0, Trust);
        (await run.Store.FindMonthAsync(run.Node, Cancellation)).ShouldBe(month);

        // The node is away for some months: what was the last one is archived.
        run.Time.MoveTo(LogRun.January.AddMonths(6));
        await journal.WhenDurableAsync(journal.Record(new PeerTrusted(EventStoreSamples.Peer(1), "", "root")), Cancellation);
        await run.CommittedAsync(journal);
        (await run.MoveAsync(blocks: 1)).ShouldBe(1);
        (await run.Store.FindMonthAsync(run.Node, Cancellation)).ShouldBe(month);
        (await run.MoveAsync()).ShouldBeGreaterThan(3);
        (await run.ScalarAsync($"select count(*) from {run.Schema}.mt_events where stream_id like 'peers/%'")).ShouldBe(0L);

        (await run.Store.FindMonthAsync(run.Node, Cancellation)).ShouldBe(month);
        (await run.TextAsync(0, Trust)).ShouldStartWith(trust);
        await journal.StopAsync("stopped", Cancellation);
        EventJournal next = await run.OpenAsync();
        next.State.Cache.Entries.Keys.ShouldBe(journal.State.Cache.Entries.Keys, ignoreOrder: true);
        next.State.Cache.Entries.ShouldNotBeEmpty();
        next.State.Trust.Trusted.Keys.ShouldBe(journal.State.Trust.Trusted.Keys, ignoreOrder: true);
    }

    [Fact]
    public async Task A_reader_misses_nothing_while_months_move()
    {
        await using LogRun run = await LogRun.CreateAsync(postgres);
        await run.WriteAsync();
        string whole = await run.TextAsync();

        Task<int> moving = Task.Run(() => run.MoveAsync(), Cancellation);
        do
        {
            (await run.TextAsync()).ShouldBe(whole);
        }
        while (!moving.IsCompleted);

        (await moving).ShouldBeGreaterThan(3);
        (await run.TextAsync()).ShouldBe(whole);
    }

    [Fact]
    public async Task The_month_that_goes_on_stays_and_the_places_stay_unique()
    {
        await using LogRun run = await LogRun.CreateAsync(postgres);
        EventJournal journal = await run.WriteAsync(perMonth: 80);
        await run.MoveAsync();

        (await run.ScalarAsync($"select count(*) from {run.Schema}.mt_events where stream_id ~ '^(peers|cache)/2026-03'")).ShouldNotBe(0L);
        (await run.ScalarAsync($"select count(*) - count(distinct node_seq) from {run.Schema}.event_log")).ShouldBe(0L);
        // A place that is in a block is taken: the log's end has gone beyond it.
        await journal.StopAsync("done", Cancellation);
        MeshException exception = await Should.ThrowAsync<MeshException>(() => run.Store.AppendAsync(
            run.Node, EventStoreSamples.Record(1, 3, new PeerLeft(EventStoreSamples.Peer(1), CloseReason.Lost)), Cancellation));
        exception.Error.ShouldBe(MeshError.ConcurrencyConflict);
        await Should.ThrowAsync<PostgresException>(() => run.ScalarAsync(
            $"insert into {run.Schema}.log_block select * from {run.Schema}.log_block limit 1"));
    }

    [Fact]
    public async Task A_role_that_may_not_alter_finds_the_partitions_of_a_year()
    {
        await using LogRun run = await LogRun.CreateAsync(postgres);
        long partitions = (long)(await run.ScalarAsync(
            $"select count(*) from pg_inherits where inhparent = '{run.Schema}.log_block'::regclass"))!;

        partitions.ShouldBe(14);
    }
}
