using EventMesh.Events;
using EventMesh.Marten.Store.Internal;
using EventMesh.Marten.Tests.Fixture;
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
}
