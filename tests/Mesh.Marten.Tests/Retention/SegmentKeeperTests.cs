using System.Text.Json;
using EventMesh.Events;
using EventMesh.Journal;
using EventMesh.Marten.Retention;
using EventMesh.Marten.Retention.Internal;
using EventMesh.Marten.Tests.Fixture;
using EventMesh.Projections;
using EventMesh.Tests.Common;
using Microsoft.Extensions.Options;
using Shouldly;
using Xunit;

namespace EventMesh.Marten.Tests.Retention;

/// <summary>What happens to months is in the log, and what is dropped is explained by it.</summary>
public sealed class SegmentKeeperTests(PostgresFixture postgres)
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Archived_months_are_told_once_each()
    {
        await using LogRun run = await LogRun.CreateAsync(postgres);
        EventJournal journal = await run.WriteAsync(perMonth: 80);
        using SegmentKeeper keeper = await KeepAsync(run, journal);
        (await keeper.ListAsync(Cancellation)).Select(segment => segment.Status).Distinct()
            .ShouldBe([SegmentStatus.Closed, SegmentStatus.Open]);

        IReadOnlyList<SegmentInfo> archived = await keeper.ArchiveAsync(TimeSpan.Zero, Cancellation);
        (await keeper.ArchiveAsync(TimeSpan.Zero, Cancellation)).ShouldBeEmpty();

        archived.Count.ShouldBe(4);
        SegmentArchived[] told = [.. (await run.ReadAsync()).Select(recorded => recorded.Data).OfType<SegmentArchived>()];
        told.Select(e => (e.Family, e.Month, e.FirstSeq, e.LastSeq, e.Count))
            .ShouldBe(archived.Select(segment => (segment.Family, segment.Month, segment.FirstSeq, segment.LastSeq, segment.Count)));
        await keeper.StopAsync(Cancellation);
    }

    [Fact]
    public async Task Only_months_that_ended_long_enough_ago_are_archived()
    {
        await using LogRun run = await LogRun.CreateAsync(postgres);
        EventJournal journal = await run.WriteAsync(perMonth: 80);
        using SegmentKeeper keeper = await KeepAsync(run, journal);

        IReadOnlyList<SegmentInfo> archived = await keeper.ArchiveAsync(TimeSpan.FromDays(20), Cancellation);

        archived.Select(segment => segment.Month).Distinct().ShouldBe(["2026-01"]);
        await keeper.StopAsync(Cancellation);
    }

    [Fact]
    public async Task A_dropped_month_is_told_before_it_goes_and_the_state_stays_what_it_was()
    {
        await using LogRun run = await LogRun.CreateAsync(postgres);
        EventJournal journal = await run.WriteAsync(perMonth: 1600);
        using SegmentKeeper keeper = await KeepAsync(run, journal);
        // Not archived, nothing to drop.
        (await keeper.FindDroppableAsync(TimeSpan.Zero, Cancellation)).ShouldBeEmpty();
        await keeper.ArchiveAsync(TimeSpan.Zero, Cancellation);
        await run.CommittedAsync(journal);
        string projections = await run.ProjectionsAsync();
        string state = Text(journal.State);
        int before = (await run.ReadAsync()).Count;

        (await keeper.FindDroppableAsync(TimeSpan.FromDays(20), Cancellation)).Select(segment => segment.Month).ShouldBe(["2026-01"]);
        IReadOnlyList<SegmentInfo> dropped = await keeper.DropAsync(TimeSpan.Zero, Cancellation);

        dropped.Select(segment => (segment.Family, segment.Month)).ShouldBe([(StreamFamily.Peers, "2026-01"), (StreamFamily.Peers, "2026-02")]);
        List<RecordedEvent> log = await run.ReadAsync();
        log.Count.ShouldBe(before + 2 - (int)dropped.Sum(segment => segment.Count));
        log.Select(recorded => recorded.Data).OfType<SegmentDropped>().Select(e => (e.Month, e.Count)).ShouldBe(dropped.Select(s => (s.Month, s.Count)));
        log.ShouldNotContain(recorded => EventRegistry.Default.StreamKey(recorded) == "peers/2026-01");
        log.ShouldContain(recorded => EventRegistry.Default.StreamKey(recorded) == "cache/2026-01");
        (await run.ProjectionsAsync()).ShouldBe(projections);
        (await keeper.ListAsync(Cancellation)).Count(segment => segment.Status == SegmentStatus.Dropped).ShouldBe(2);
        (await keeper.DropAsync(TimeSpan.Zero, Cancellation)).ShouldBeEmpty();
        await keeper.StopAsync(Cancellation);
        await journal.DisposeAsync();

        // A process that knows nothing but the store: the first event of its log is after its own start.
        Text(log.Aggregate(MeshState.Empty, MeshState.Apply)).ShouldBe(state);
        EventJournal next = await run.OpenAsync();
        next.State.Cache.Entries.Count.ShouldBe(journal.State.Cache.Entries.Count);
        await next.StopAsync("done", Cancellation);
    }

    [Fact]
    public async Task A_drop_that_was_cut_short_after_its_event_is_completed()
    {
        await using LogRun run = await LogRun.CreateAsync(postgres);
        EventJournal journal = await run.WriteAsync(perMonth: 80);
        using SegmentKeeper keeper = await KeepAsync(run, journal);
        await keeper.ArchiveAsync(TimeSpan.Zero, Cancellation);
        await run.CommittedAsync(journal);
        SegmentInfo first = (await keeper.FindDroppableAsync(TimeSpan.Zero, Cancellation))[0];
        journal.Record(new SegmentDropped(first.Family, first.Month, first.FirstSeq, first.LastSeq, first.Count, first.Head));
        await run.CommittedAsync(journal);

        await keeper.DropAsync(TimeSpan.Zero, Cancellation);

        (await run.ReadAsync()).Count(recorded => recorded.Data is SegmentDropped { Month: "2026-01" }).ShouldBe(1);
        (await run.ScalarAsync($"select count(*) from {run.Schema}.log_block where stream_id = 'peers/2026-01'")).ShouldBe(0L);
        await keeper.StopAsync(Cancellation);
    }

    [Fact]
    public async Task Rows_that_are_missing_without_an_event_are_noticed()
    {
        await using LogRun run = await LogRun.CreateAsync(postgres);
        await run.WriteAsync(perMonth: 80);
        await run.MoveAsync();
        await run.ScalarAsync($"delete from {run.Schema}.log_block where stream_id = 'peers/2026-01'");

        MeshException exception = await Should.ThrowAsync<MeshException>(() => run.ReadAsync());

        exception.Error.ShouldBe(MeshError.StoreIncompatible);
        exception.Message.ShouldContain("lacks place");
    }

    private static async Task<SegmentKeeper> KeepAsync(LogRun run, EventJournal journal)
    {
        var keeper = new SegmentKeeper(run.Store, Options.Create(new MeshRetentionOptions()), run.Time, new TestLog());
        await keeper.StartAsync(new FakeMesh(), journal, Cancellation);
        return keeper;
    }

    private static string Text(MeshState state) => JsonSerializer.Serialize(
        new
        {
            Cache = state.Cache.Entries.Values.OrderBy(entry => entry.Peer),
            Peers = state.Peers.Joined.Values.OrderBy(peer => peer.Peer).Select(peer => peer with { Agent = "" }),
            Connections = state.Connections.Open.Values.OrderBy(open => open.Connection),
            Trusted = state.Trust.Trusted.OrderBy(entry => entry.Key),
        },
        MeshJson.Options);
}
