using System.Net;
using EventMesh.Conformance;
using EventMesh.Events;
using EventMesh.Identity;
using EventMesh.Marten.Projections.Internal;
using EventMesh.Marten.Queries;
using EventMesh.Marten.Tests.Fixture;
using Npgsql;
using Shouldly;
using Xunit;

namespace EventMesh.Marten.Tests.Projections;

/// <summary>A rebuild beside readers, writers, other rebuilds and kills.</summary>
public sealed class RebuildTests(PostgresFixture postgres) : ProjectionTestBase(postgres)
{
    private const int Page = 50;
    private const string History = "select h::text from {schema}.peer_directory_history h order by node_id, from_seq";

    [Fact]
    public async Task A_rebuild_that_was_killed_goes_on_where_it_stopped()
    {
        await AppendPeersAsync(400);
        List<string> live = await QueryAsync(History);
        await using NpgsqlConnection connection = await ConnectAsync();
        int pages = 0;

        // What the end of a process by kill -9 is to the server: the end of its connection, between any two statements.
        await Should.ThrowAsync<Exception>(() => Rebuild(async () =>
        {
            if (++pages == 3)
                await ExecuteAsync($"select pg_terminate_backend({connection.ProcessID}) from pg_sleep(0)");
        }).RunAsync(connection, Cancellation));

        pages.ShouldBeInRange(3, 4);
        ProjectionStatus half = await StatusAsync();
        half.RebuiltSeq.ShouldNotBeNull().ShouldBeInRange(2 * Page, 5 * Page);
        half.State.ShouldBe(ProjectionState.Following);
        (await QueryAsync(History)).ShouldBe(live, "readers see what they saw");

        await using NpgsqlConnection second = await ConnectAsync();
        int more = 0;
        await Rebuild(() =>
        {
            more++;
            return Task.CompletedTask;
        }).RunAsync(second, Cancellation);

        (pages + more).ShouldBeLessThanOrEqualTo((800 / Page) + 4, "nothing was folded twice but the page under way");
        (await QueryAsync(History)).ShouldBe(live);
        (await StatusAsync()).RebuiltSeq.ShouldBeNull();
        (await QueryAsync("select relname from pg_class where relkind = 'r' and relnamespace = '{schema}'::regnamespace and relname like 'peer_directory%'"))
            .ShouldBe(["peer_directory_2"]);
    }

    [Fact]
    public async Task What_another_build_of_the_program_has_begun_is_begun_anew()
    {
        await AppendPeersAsync(100);
        List<string> live = await QueryAsync(History);
        await using NpgsqlConnection connection = await ConnectAsync();
        await Should.ThrowAsync<TimeoutException>(() => Rebuild(() => throw new TimeoutException()).RunAsync(connection, Cancellation));
        await ExecuteAsync("update {schema}.projection set building_build = gen_random_uuid() where name = 'peer_directory'");
        // As if the other had folded it wrong.
        await ExecuteAsync("update {schema}.peer_directory_2 set agent = 'wrong'");

        await Store.Queries.RebuildAsync("peer_directory", Cancellation);

        (await QueryAsync(History)).ShouldBe(live);
    }

    [Fact]
    public async Task Two_rebuilds_of_one_projection_at_once_are_refused_and_the_first_one_is_seen_at_work()
    {
        await AppendPeersAsync(100);
        TaskCompletionSource entered = new(TaskCreationOptions.RunContinuationsAsynchronously);
        TaskCompletionSource leave = new(TaskCreationOptions.RunContinuationsAsynchronously);
        Task first = Task.Run(async () =>
        {
            await using NpgsqlConnection connection = await ConnectAsync();
            await Rebuild(() =>
            {
                entered.TrySetResult();
                return leave.Task;
            }).RunAsync(connection, Cancellation);
        });
        await entered.Task.WaitAsync(TimeSpan.FromMinutes(2), Cancellation);

        MeshException refused = await Should.ThrowAsync<MeshException>(() => Store.Queries.RebuildAsync("peer_directory", Cancellation));

        refused.Error.ShouldBe(MeshError.ConcurrencyConflict);
        refused.Message.ShouldContain("under way already");
        ProjectionStatus status = await StatusAsync();
        status.State.ShouldBe(ProjectionState.Rebuilding);
        status.RebuiltSeq.ShouldNotBeNull().ShouldBeGreaterThan(0);
        await Store.Queries.RebuildAsync("mesh_topology", Cancellation);
        leave.SetResult();
        await first;
        (await StatusAsync()).State.ShouldBe(ProjectionState.Following);
    }

    [Fact]
    public async Task Readers_never_see_less_than_before_and_what_is_appended_meanwhile_is_in()
    {
        await AppendPeersAsync(200);
        using var stop = new CancellationTokenSource();
        Task<int> reader = Task.Run(async () =>
        {
            await using NpgsqlConnection connection = await ConnectAsync();
            await using var count = new NpgsqlCommand($"select count(*) from {Schema}.peer_directory_history", connection);
            long most = 0;
            int looks = 0;
            while (!stop.IsCancellationRequested)
            {
                long now = (long)(await count.ExecuteScalarAsync(Cancellation))!;
                now.ShouldBeGreaterThanOrEqualTo(most);
                most = now;
                looks++;
            }
            return looks;
        });
        Task writer = Task.Run(async () =>
        {
            for (int i = 0; i < 20; i++)
                await AppendPeersAsync(20, wait: false);
        });
        do
            await Store.Queries.RebuildAsync("peer_directory", Cancellation);
        while (!writer.IsCompleted);
        await writer;
        await WaitAsync(Node);
        await stop.CancelAsync();

        (await reader).ShouldBeGreaterThan(0);
        (await QueryAsync("select count(*) from {schema}.peer_directory_history")).ShouldBe(["600"]);
    }

    [Fact]
    public async Task Of_two_ends_of_a_connection_the_first_counts_on_one_page_as_on_two()
    {
        PeerId peer = EventStoreSamples.Peer(1);
        Guid id = Guid.NewGuid();
        await AppendAsync(Node, new ConnectionOpened(id, peer, new IPEndPoint(IPAddress.Loopback, 1), ConnectionDirection.Inbound));
        await WaitAsync(Node);
        await AppendAsync(Node, new ConnectionClosed(id, peer, CloseReason.Idle, 1, 2, 3, 4, TimeSpan.Zero));
        await WaitAsync(Node);
        await AppendAsync(Node, new ConnectionClosed(id, peer, CloseReason.Lost, 5, 6, 7, 8, TimeSpan.Zero));
        await WaitAsync(Node);
        const string Rows = "select reason, bytes_sent, closed_seq from {schema}.connection_history";
        (await QueryAsync(Rows)).ShouldBe(["idle|1|3"]);

        await Store.Queries.RebuildAsync("connection_history", Cancellation);

        (await QueryAsync(Rows)).ShouldBe(["idle|1|3"]);
    }

    [Theory]
    [InlineData("peer_directory", "peer_directory_history", "valid")]
    [InlineData("bootstrap_cache", "bootstrap_cache_history", "valid")]
    [InlineData("mesh_topology", "mesh_topology_history", "valid")]
    [InlineData("trust_ledger", "trust_ledger", "valid")]
    [InlineData("connection_history", "connection_history", "opened_at, closed_at")]
    public async Task What_was_there_at_a_time_is_found_over_the_index_of_intervals_before_and_after_a_rebuild(string projection, string view, string interval)
    {
        await AppendPeersAsync(200);
        await ShouldUseAsync($"{projection}_1_held");

        await Store.Queries.RebuildAsync(projection, Cancellation);

        await ShouldUseAsync($"{projection}_2_held");

        // The tables of a test are so small that the server would read all of them.
        async Task ShouldUseAsync(string index)
        {
            await using NpgsqlConnection connection = await ConnectAsync();
            await using var settings = new NpgsqlCommand("set enable_seqscan = off", connection);
            await settings.ExecuteNonQueryAsync(Cancellation);
            await using var explain = new NpgsqlCommand($"explain select * from {Schema}.{view} where {Schema}.holds_at({interval}, now())", connection);
            await using NpgsqlDataReader reader = await explain.ExecuteReaderAsync(Cancellation);
            List<string> plan = [];
            while (await reader.ReadAsync(Cancellation))
                plan.Add(reader.GetString(0));
            string.Join('\n', plan).ShouldContain(index);
        }
    }

    private ProjectionRebuild Rebuild(Func<Task> pageFolded) =>
        new(Store.Session.Projections.Single(projection => projection.Name == "peer_directory"), Store.Session.Tables) { PageSize = Page, PageFolded = pageFolded };

    private async Task<ProjectionStatus> StatusAsync() =>
        (await Store.Queries.GetProjectionsAsync(Node, Cancellation)).Single(status => status.Name == "peer_directory");

    /// <summary>Peers that join and leave: one row each.</summary>
    private async Task AppendPeersAsync(int count, bool wait = true)
    {
        await AppendAsync(
            Node,
            [.. Enumerable.Range(0, count).SelectMany(i => new IMeshEvent[]
            {
                new PeerJoined(EventStoreSamples.Peer(i % 9), Guid.NewGuid(), PeerKind.Node, [new IPEndPoint(IPAddress.Loopback, i)], "agent"),
                new PeerLeft(EventStoreSamples.Peer(i % 9), CloseReason.Idle),
            })]);
        if (wait)
            await WaitAsync(Node);
    }
}
