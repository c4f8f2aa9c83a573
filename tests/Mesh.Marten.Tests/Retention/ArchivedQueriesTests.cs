using EventMesh.Conformance;
using EventMesh.Events;
using EventMesh.Identity;
using EventMesh.Journal;
using EventMesh.Marten.Queries;
using EventMesh.Marten.Store.Internal;
using EventMesh.Marten.Tests.Fixture;
using EventMesh.Projections;
using Npgsql;
using Shouldly;
using Xunit;

namespace EventMesh.Marten.Tests.Retention;

/// <summary>Questions about the past have the same answers once months are archived.</summary>
public sealed class ArchivedQueriesTests(PostgresFixture postgres)
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Times_and_places_of_archived_months_are_found()
    {
        await using LogRun run = await LogRun.CreateAsync(postgres);
        await run.WriteAsync(perMonth: 1600);
        List<RecordedEvent> log = await run.ReadAsync();
        RecordedEvent[] some = [.. log.Where((_, index) => index % 97 == 0), log[0], log[^1]];
        await ShouldTranslateAsync();

        // Half of a month in blocks, then all closed ones.
        await run.MoveAsync(blocks: 1);
        await ShouldTranslateAsync();
        await run.MoveAsync();
        await ShouldTranslateAsync();

        async Task ShouldTranslateAsync()
        {
            var clock = new LogClock(run.Store.Session.Tables);
            string tenant = LogReader.Tenant(run.Node);
            await using NpgsqlConnection connection = await run.Store.Session.Source.OpenConnectionAsync(Cancellation);
            foreach (RecordedEvent recorded in some)
            {
                (await clock.PlaceAtAsync(connection, tenant, recorded.Time, Cancellation)).ShouldBe(recorded.NodeSeq);
                (await clock.PlaceAtAsync(connection, tenant, recorded.Time.AddMicroseconds(-1), Cancellation)).ShouldBe(recorded.NodeSeq - 1);
                (await clock.TimeOfAsync(connection, tenant, recorded.NodeSeq, Cancellation)).ShouldBe(recorded.Time);
            }
            (await clock.PlaceAtAsync(connection, tenant, LogRun.January.AddMonths(1).AddDays(-1), Cancellation))
                .ShouldBe(log.Last(recorded => recorded.Time < LogRun.January.AddMonths(1).AddDays(-1)).NodeSeq);
            (await clock.TimeOfAsync(connection, tenant, 0, Cancellation)).ShouldBeNull();
        }
    }

    [Fact]
    public async Task The_timeline_of_a_peer_goes_through_blocks_and_the_table_in_order()
    {
        await using LogRun run = await LogRun.CreateAsync(postgres);
        await run.WriteAsync(perMonth: 4000);
        List<RecordedEvent> log = await run.ReadAsync();
        RecordedEvent last = log[log.Count / 2];
        await ShouldShowAsync();
        await run.MoveAsync(blocks: 3);
        await ShouldShowAsync();
        (await run.MoveAsync()).ShouldBeGreaterThan(4);
        await ShouldShowAsync();

        async Task ShouldShowAsync()
        {
            // The last is in no block; the first in trust too.
            foreach (int number in new[] { 1, 7, 1000 })
            {
                PeerId peer = EventStoreSamples.Peer(number);
                RecordedEvent[] all = [.. log.Where(recorded => EventSubjects.Of(recorded.Data).Contains(peer))];
                all.Length.ShouldBe(number == 1000 ? 0 : all.Length);
                (await PlacesAsync(peer, new TimelineFilter { Limit = 1000 })).ShouldBe(Places(all));
                (await PlacesAsync(peer, new TimelineFilter { Limit = 70 })).ShouldBe(Places(all));
                (await PlacesAsync(peer, new TimelineFilter { Limit = 70, NewestFirst = true })).ShouldBe(Places(all.Reverse()));
                (await PlacesAsync(peer, new TimelineFilter { Limit = 9, Types = ["peer.left.v1", "trust.peer-trusted.v1"] }))
                    .ShouldBe(Places(all.Where(recorded => recorded.Data is PeerLeft or PeerTrusted)));
                (await PlacesAsync(peer, new TimelineFilter { Limit = 50, From = log[100].Time, To = last.Time, NewestFirst = true }))
                    .ShouldBe(Places(all.Where(recorded => recorded.Time >= log[100].Time && recorded.Time <= last.Time).Reverse()));
            }
        }

        static IEnumerable<long> Places(IEnumerable<RecordedEvent> events) => events.Select(recorded => recorded.NodeSeq);

        async Task<List<long>> PlacesAsync(PeerId peer, TimelineFilter filter)
        {
            var places = new List<long>();
            do
            {
                HistoryPage<RecordedEvent> page = await run.Store.Queries.GetTimelineAsync(run.Node, peer, filter, Cancellation);
                page.Items.Count.ShouldBeLessThanOrEqualTo(filter.Limit);
                places.AddRange(page.Items.Select(recorded => recorded.NodeSeq));
                filter = filter with { After = page.Next };
            }
            while (filter.After is not null);
            return places;
        }
    }
}
