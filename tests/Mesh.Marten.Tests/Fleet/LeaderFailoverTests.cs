using EventMesh.Marten.Projections.Internal;
using EventMesh.Marten.Queries;
using EventMesh.Marten.Store;
using EventMesh.Marten.Store.Internal;
using EventMesh.Marten.Tests.Fixture;
using Npgsql;
using Shouldly;
using Xunit;

namespace EventMesh.Marten.Tests.Fleet;

/// <summary>Several stores on one database: one lets the projections follow, another goes on when it can't, and no row is lost or doubled by that.</summary>
public sealed class LeaderFailoverTests(PostgresFixture postgres)
{
    private readonly string _schema = postgres.NewSchema();
    private readonly FleetLog[] _logs = [new(1), new(2), new(3)];

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    private FleetServer Server => new(postgres, _schema);

    [Fact]
    public async Task Another_goes_on_when_the_leaders_process_is_killed()
    {
        using ChildStore child = await ChildStore.StartAsync(postgres.ConnectionString, _schema, Cancellation);
        FleetServer.Leader first = await Server.WaitForLeaderAsync(leader => leader.Process == child.Id);
        await using MartenEventStore one = await postgres.OpenStoreAsync(_schema);
        await using MartenEventStore two = await postgres.OpenStoreAsync(_schema);
        await RunAsync(one, async () =>
        {
            await child.KillAsync(Cancellation);
            (await Server.WaitForLeaderAsync(leader => leader.Term > first.Term)).Process.ShouldBe(Environment.ProcessId);
        });

        await ShouldBeWholeAsync(two);
    }

    [Fact]
    public async Task Another_goes_on_when_the_leaders_connection_is_cut()
    {
        await using MartenEventStore one = await postgres.OpenStoreAsync(_schema);
        await using MartenEventStore two = await postgres.OpenStoreAsync(_schema);
        using ChildStore child = await ChildStore.StartAsync(postgres.ConnectionString, _schema, Cancellation);
        await RunAsync(one, async () =>
        {
            for (int i = 0; i < 3; i++)
            {
                FleetServer.Leader cut = await Server.WaitForLeaderAsync(leader => leader.Term > i);
                await Server.CutAsync(cut);
                await Server.WaitForLeaderAsync(leader => leader.Term > cut.Term);
            }
        });

        await ShouldBeWholeAsync(two);
    }

    [Fact]
    public async Task Another_goes_on_when_the_leader_freezes_and_the_old_one_writes_nothing_when_it_wakes()
    {
        using ChildStore child = await ChildStore.StartAsync(postgres.ConnectionString + ";Application Name=frozen", _schema, Cancellation);
        FleetServer.Leader first = await Server.WaitForLeaderAsync(leader => leader.Process == child.Id);
        await using MartenEventStore one = await postgres.OpenStoreAsync(_schema);
        await using MartenEventStore two = await postgres.OpenStoreAsync(_schema);
        await RunAsync(one, async () =>
        {
            await child.FreezeAsync(Cancellation);
            FleetServer.Leader second = await Server.WaitForLeaderAsync(leader => leader.Term > first.Term);
            second.Process.ShouldBe(Environment.ProcessId);
            await child.WakeAsync(Cancellation);

            // It has noticed: it asks for the lock again, on a session that is younger than its successor's term.
            await Eventually.IsTrueAsync(async _ => (bool)await Server.ScalarAsync(
                $"""
                select exists (select from pg_stat_activity where application_name = 'frozen' and query like 'select pg_try_advisory_lock%'
                    and backend_start > (select since from {_schema}.projection_leader))
                """));
            (await Server.WaitForLeaderAsync(_ => true)).ShouldBe(second);
        });

        await ShouldBeWholeAsync(two);
    }

    [Fact]
    public async Task What_a_leader_was_writing_when_its_successor_began_is_not_written()
    {
        MartenEventStore store = await postgres.OpenStoreAsync(_schema);
        FleetLog log = _logs[0];
        await log.ClaimAsync(store, Cancellation);
        await log.WaitAsync(store);
        StoreSession session = store.Session;
        string tenant = LogReader.Tenant(log.Node);
        // Its runner must not take part: this test is both leaders.
        await session.Runner.DisposeAsync();
        await log.AppendAsync(store, 100, Cancellation);
        LogProjection projection = session.Projections.Single(candidate => candidate.Name == "connection_history");
        var lease = new ProjectionLease(session.Tables, log.Node);
        await using NpgsqlConnection first = await Server.OpenAsync();
        (await lease.TryTakeAsync(first, Cancellation)).ShouldBeTrue();
        long old = await lease.BeginAsync(first, Cancellation);
        await using NpgsqlConnection writing = await Server.OpenAsync();
        NpgsqlTransaction transaction = await writing.BeginTransactionAsync(Cancellation);
        await lease.EnterAsync(writing, old, Cancellation);
        await projection.FoldPageAsync(writing, tenant, 1, page: null, LogReader.PageSize, Cancellation);

        await using NpgsqlConnection second = await Server.OpenAsync();
        (await lease.TryTakeAsync(second, Cancellation)).ShouldBeFalse("the first leads");
        await Server.CutAsync(new(old, 0, first.ProcessID));
        while (!await lease.TryTakeAsync(second, Cancellation))
            await Task.Yield();
        long next = await lease.BeginAsync(second, Cancellation);

        next.ShouldBe(old + 1);
        await Should.ThrowAsync<NpgsqlException>(() => transaction.CommitAsync(Cancellation));
        await Should.ThrowAsync<LeaseLostException>(() => projection.CatchUpAsync(tenant, page: null, lease, old, 1, Cancellation));
        (await Server.ScalarAsync($"select count(*) from {_schema}.connection_history")).ShouldBe(0L);
        foreach (LogProjection each in session.Projections)
            await each.CatchUpAsync(tenant, page: null, lease, next, 100, Cancellation);
        await log.ShouldBeShownAsync(store, Cancellation);
        await store.DisposeAsync();
    }

    /// <summary>Does something while three logs grow.</summary>
    private async Task RunAsync(MartenEventStore store, Func<Task> action)
    {
        foreach (FleetLog log in _logs)
            await log.ClaimAsync(store, Cancellation);
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(Cancellation);
        Task[] growing = [.. _logs.Select(log => Task.Run(
            async () =>
            {
                while (!stop.IsCancellationRequested)
                {
                    await log.AppendAsync(store, Cancellation);
                    await Task.Delay(10, Cancellation);
                }
            },
            Cancellation))];
        try
        {
            await action();
        }
        finally
        {
            await stop.CancelAsync();
            await Task.WhenAll(growing);
        }
        // The last of it is folded by whoever leads now.
        foreach (FleetLog log in _logs)
            await log.AppendAsync(store, Cancellation);
    }

    private async Task ShouldBeWholeAsync(MartenEventStore store)
    {
        foreach (FleetLog log in _logs)
        {
            await log.WaitAsync(store);
            await log.ShouldBeShownAsync(store, Cancellation);
        }
        string live = await Server.DigestAsync();
        foreach (ProjectionStatus projection in await store.Queries.GetProjectionsAsync(_logs[0].Node, Cancellation))
            await store.Queries.RebuildAsync(projection.Name, Cancellation);
        (await Server.DigestAsync()).ShouldBe(live, "one process that folds from the first event makes the same rows");
    }
}
