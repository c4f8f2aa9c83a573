using System.Net;
using EventMesh.Conformance;
using EventMesh.Events;
using EventMesh.Identity;
using EventMesh.Marten.Tests.Fixture;
using EventMesh.Projections;
using Shouldly;
using Xunit;

namespace EventMesh.Marten.Tests.Projections;

/// <summary>The runs of a node, and who is joined to whom, as rows.</summary>
public sealed class NodeStatusTests(PostgresFixture postgres) : ProjectionTestBase(postgres)
{
    private static readonly IPEndPoint Public = new(IPAddress.Parse("198.51.100.7"), 4433);

    [Fact]
    public async Task A_run_ends_by_a_stop_with_its_reason_or_by_a_crash_that_the_next_start_tells()
    {
        RecordedEvent[] log =
        [
            .. await AppendAsync(Node, new EndpointObserved(Public, EventStoreSamples.Peer(4)), new ReachabilityChanged(Reachability.Reachable), new NodeStopped("SIGTERM")),
            .. await StartAsync(Node, epoch: 2, EventStoreSamples.Peer(1)),
            .. await StartAsync(Node, epoch: 3, EventStoreSamples.Peer(1)),
        ];
        await WaitAsync(Node);

        (await QueryAsync("select epoch, identity, agent, transport, kind, reachability, endpoint, state, stop_reason, ended_at is null from {schema}.node_run order by epoch"))
            .ShouldBe(
            [
                $"1|{EventStoreSamples.Peer(0)}|test/1.0|memory|node|reachable|198.51.100.7:4433|stopped|SIGTERM|False",
                $"2|{EventStoreSamples.Peer(1)}|test/1.0|memory|node|unknown|-|crashed|-|False", $"3|{EventStoreSamples.Peer(1)}|test/1.0|memory|node|unknown|-|running|-|True",
            ]);
        (await QueryAsync("select epoch, state, reachability, endpoint, from_seq, to_seq, lower(valid) = started_at from {schema}.node_status_history order by from_seq"))
            .ShouldBe(
            [
                "1|running|unknown|-|1|2|True", "1|running|unknown|198.51.100.7:4433|2|3|False", "1|running|reachable|198.51.100.7:4433|3|4|False",
                "1|stopped|reachable|198.51.100.7:4433|4|5|False", "2|running|unknown|-|5|6|True", "3|running|unknown|-|6|-|True",
            ]);
        (await QueryAsync("select epoch, state, started_at = since from {schema}.node_status")).ShouldBe(["3|running|True"]);

        NodeRun? run = null;
        foreach (RecordedEvent recorded in log)
        {
            run = NodeRun.Apply(run, recorded);
            (await Store.Queries.GetNodeAsync(Node, recorded.Time, Cancellation)).ShouldBe(run);
        }
        (await Store.Queries.GetNodeAsync(Node, log[0].Time.AddTicks(-10), Cancellation)).ShouldBeNull();
        (await Store.Queries.GetNodeAsync(new NodeId(Guid.NewGuid()), null, Cancellation)).ShouldBeNull();
    }

    [Fact]
    public async Task What_says_nothing_new_makes_no_row_and_a_rebuild_makes_the_same_ones()
    {
        await AppendAsync(
            Node, new EndpointObserved(Public, EventStoreSamples.Peer(4)), new EndpointObserved(Public, EventStoreSamples.Peer(5)),
            new IdentityRotated(EventStoreSamples.Peer(0), EventStoreSamples.Peer(9), 1, EventStoreSamples.Start));
        await WaitAsync(Node);
        List<string> live = await QueryAsync("select s::text from {schema}.node_status_history s order by from_seq");

        live.Count.ShouldBe(3);
        await Store.Queries.RebuildAsync("node_status", Cancellation);

        (await QueryAsync("select s::text from {schema}.node_status_history s order by from_seq")).ShouldBe(live);
        (await Store.Queries.GetNodeAsync(Node, null, Cancellation))!.Identity.ShouldBe(EventStoreSamples.Peer(9));
    }

    [Fact]
    public async Task The_graph_of_all_nodes_of_a_schema_is_one_query_and_shows_which_peers_are_among_them()
    {
        var other = new NodeId(Guid.NewGuid());
        PeerId stranger = EventStoreSamples.Peer(50);
        await AppendAsync(Node);
        await StartAsync(other, epoch: 1, EventStoreSamples.Peer(1));
        RecordedEvent[] joined = await AppendAsync(
            Node, new PeerJoined(EventStoreSamples.Peer(1), Guid.NewGuid(), PeerKind.Node, [Public], "a"), new PeerJoined(stranger, Guid.NewGuid(), PeerKind.Client, [], "b"));
        await AppendAsync(other, new PeerJoined(EventStoreSamples.Peer(0), Guid.NewGuid(), PeerKind.Node, [Public], "c"));
        // New addresses make no new edge, a new kind does.
        RecordedEvent[] changed = await AppendAsync(
            Node, new PeerUpdated(EventStoreSamples.Peer(1), PeerKind.Node, []), new PeerUpdated(stranger, PeerKind.Node, [Public]), new PeerLeft(stranger, CloseReason.Idle));
        await WaitAsync(Node);
        await WaitAsync(other);
        string[] Edges(params string[] rows) => [.. rows.Order(StringComparer.Ordinal)];

        string between = $"{Node}|{EventStoreSamples.Peer(0)}|{EventStoreSamples.Peer(1)}|{other}|node";
        string back = $"{other}|{EventStoreSamples.Peer(1)}|{EventStoreSamples.Peer(0)}|{Node}|node";
        (await QueryAsync("select node_id, node, peer, peer_node_id, kind from {schema}.mesh_topology")).Order(StringComparer.Ordinal).ShouldBe(Edges(between, back));
        (await QueryAsync("select peer, kind, from_seq, to_seq from {schema}.mesh_topology_history where peer_node_id is null order by from_seq"))
            .ShouldBe([$"{stranger}|client|3|5", $"{stranger}|node|5|6"]);
        (await Store.Queries.GetTopologyAsync(null, null, Cancellation)).Select(edge => (edge.Node, edge.Identity, edge.Peer, edge.PeerNode)).ShouldBe(
            [(Node, EventStoreSamples.Peer(0), EventStoreSamples.Peer(1), other), (other, EventStoreSamples.Peer(1), EventStoreSamples.Peer(0), Node)], ignoreOrder: true);
        (await Store.Queries.GetTopologyAsync(Node, joined[^1].Time, Cancellation)).Select(edge => edge.Kind).ShouldBe([PeerKind.Node, PeerKind.Client], ignoreOrder: true);
        (await Store.Queries.GetTopologyAsync(Node, changed[1].Time, Cancellation)).Select(edge => edge.Kind).ShouldBe([PeerKind.Node, PeerKind.Node]);
        (await Store.Queries.GetTopologyAsync(Node, null, Cancellation)).ShouldHaveSingleItem().JoinedAt.ShouldBe(joined[0].Time);

        List<string> live = await QueryAsync("select t::text from {schema}.mesh_topology_history t order by node_id, from_seq");
        await Store.Queries.RebuildAsync("mesh_topology", Cancellation);
        // The view that it joins may be replaced too.
        await Store.Queries.RebuildAsync("node_status", Cancellation);
        (await QueryAsync("select t::text from {schema}.mesh_topology_history t order by node_id, from_seq")).ShouldBe(live);
    }

    [Fact]
    public async Task A_schema_of_the_version_before_gets_the_new_projections_which_catch_up()
    {
        await AppendAsync(Node, new PeerTrusted(EventStoreSamples.Peer(1), "friend", "root"));
        await WaitAsync(Node);
        await Store.DisposeAsync();
        await ExecuteAsync(
            """
            drop view {schema}.mesh_topology, {schema}.mesh_topology_history, {schema}.node_run, {schema}.node_status, {schema}.node_status_history,
                {schema}.trust_in_force, {schema}.trust_ledger cascade;
            drop table {schema}.mesh_topology_1, {schema}.node_status_1, {schema}.trust_ledger_1;
            delete from {schema}.projection where name in ('trust_ledger', 'node_status', 'mesh_topology');
            delete from {schema}.projection_position where name in ('trust_ledger', 'node_status', 'mesh_topology');
            update {schema}.schema_version set version = 1
            """);

        Store = await Postgres.OpenStoreAsync(Schema);
        await WaitAsync(Node);

        (await Store.Queries.GetTrustAsync(Node, null, Cancellation)).ShouldHaveSingleItem().Reason.ShouldBe("friend");
        (await Store.Queries.GetNodeAsync(Node, null, Cancellation)).ShouldNotBeNull();
    }
}
