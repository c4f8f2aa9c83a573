using System.Net;
using EventMesh.Conformance;
using EventMesh.Events;
using EventMesh.Identity;
using EventMesh.Marten.Tests.Fixture;
using Shouldly;
using Xunit;

namespace EventMesh.Marten.Tests.Projections;

/// <summary>The views are an interface: their columns, and what plain SQL finds in them.</summary>
public sealed class ViewTests(PostgresFixture postgres) : ProjectionTestBase(postgres)
{
    /// <summary>View, columns with their types in order. A released line is never changed, only added to.</summary>
    private static readonly Dictionary<string, string> Views = new(StringComparer.Ordinal)
    {
        {
            "bootstrap_cache",
            "node_id uuid, peer text, endpoints text[], certificate bytea, origin text, added_at timestamptz, last_connected_at timestamptz, is_confirmed bool, failures int4, last_failed_at timestamptz, since timestamptz, from_seq int8"
        },
        {
            "bootstrap_cache_history",
            "node_id uuid, peer text, endpoints text[], certificate bytea, origin text, added_at timestamptz, last_connected_at timestamptz, is_confirmed bool, failures int4, last_failed_at timestamptz, valid tstzrange, from_seq int8, to_seq int8"
        },
        { "peer_directory", "node_id uuid, peer text, instance uuid, kind text, endpoints text[], agent text, joined_at timestamptz, since timestamptz, from_seq int8" },
        {
            "peer_directory_history",
            "node_id uuid, peer text, instance uuid, kind text, endpoints text[], agent text, joined_at timestamptz, valid tstzrange, from_seq int8, to_seq int8"
        },
        {
            "connection_history",
            "node_id uuid, connection uuid, peer text, remote text, direction text, opened_at timestamptz, closed_at timestamptz, reason text, bytes_sent int8, bytes_received int8, messages_sent int8, messages_received int8, opened_seq int8, closed_seq int8"
        },
        {
            "trust_ledger",
            "node_id uuid, kind text, subject text, peer text, reason text, decided_by text, decided_at timestamptz, until timestamptz, valid tstzrange, from_seq int8, ended_at timestamptz, ended text, ended_by text, ended_seq int8"
        },
        { "trust_in_force", "node_id uuid, kind text, subject text, peer text, reason text, decided_by text, decided_at timestamptz, until timestamptz, from_seq int8" },
        {
            "node_status",
            "node_id uuid, epoch int4, instance uuid, identity text, kind text, agent text, transport text, reachability text, endpoint text, started_at timestamptz, stopped_at timestamptz, stop_reason text, state text, since timestamptz, from_seq int8"
        },
        {
            "node_status_history",
            "node_id uuid, epoch int4, instance uuid, identity text, kind text, agent text, transport text, reachability text, endpoint text, started_at timestamptz, stopped_at timestamptz, stop_reason text, state text, valid tstzrange, from_seq int8, to_seq int8"
        },
        {
            "node_run",
            "node_id uuid, epoch int4, instance uuid, identity text, kind text, agent text, transport text, reachability text, endpoint text, started_at timestamptz, state text, ended_at timestamptz, stop_reason text"
        },
        { "mesh_topology", "node_id uuid, node text, peer text, peer_node_id uuid, kind text, joined_at timestamptz, since timestamptz, from_seq int8" },
        { "mesh_topology_history", "node_id uuid, node text, peer text, peer_node_id uuid, kind text, joined_at timestamptz, valid tstzrange, from_seq int8, to_seq int8" },
    };

    [Fact]
    public async Task Each_view_has_its_documented_columns()
    {
        foreach ((string view, string columns) in Views)
            await ShouldHaveAsync(view, columns);
    }

    [Fact]
    public async Task Plain_SQL_finds_the_cache_the_peers_and_the_connections_now_and_as_of_a_time()
    {
        PeerId peer = EventStoreSamples.Peer(1);
        var endpoint = new IPEndPoint(IPAddress.Parse("192.0.2.7"), 4433);
        var (connection, instance) = (Guid.NewGuid(), Guid.NewGuid());
        RecordedEvent[] log = await AppendAsync(
            Node, new CacheEntryAdded(peer, [endpoint], [1, 255], ConnectionDirection.Outbound), new ConnectionOpened(connection, peer, endpoint, ConnectionDirection.Outbound),
            new PeerJoined(peer, instance, PeerKind.Node, [endpoint], "agent/1"), new DialFailed(endpoint, peer, MeshError.Timeout, ""),
            new PeerLeft(peer, CloseReason.Idle), new ConnectionClosed(connection, peer, CloseReason.Idle, 1, 2, 3, 4, TimeSpan.FromSeconds(1)));
        await WaitAsync(Node);
        string before = $"timestamptz '{log[4].Time.AddTicks(-10):O}'";

        (await QueryAsync("select peer, endpoints, certificate, origin, is_confirmed, failures, last_failed_at = since, added_at = last_connected_at, from_seq from {schema}.bootstrap_cache"))
            .ShouldBe([$"{peer}|192.0.2.7:4433|01FF|outbound|False|1|True|True|5"]);
        (await QueryAsync($"select failures, last_failed_at, to_seq from {{schema}}.bootstrap_cache_history where node_id = '{Node}' and {{schema}}.holds_at(valid, {before})")).ShouldBe(["0|-|5"]);
        (await QueryAsync("select * from {schema}.peer_directory")).ShouldBeEmpty();
        (await QueryAsync($"select peer, instance, kind, endpoints, agent, joined_at = lower(valid), from_seq, to_seq from {{schema}}.peer_directory_history where {{schema}}.holds_at(valid, {before})"))
            .ShouldBe([$"{peer}|{instance}|node|192.0.2.7:4433|agent/1|True|4|6"]);
        (await QueryAsync("select connection, peer, remote, direction, closed_at > opened_at, reason, bytes_sent, bytes_received, messages_sent, messages_received, opened_seq, closed_seq from {schema}.connection_history"))
            .ShouldBe([$"{connection}|{peer}|192.0.2.7:4433|outbound|True|idle|1|2|3|4|3|7"]);
        (await QueryAsync($"select connection from {{schema}}.connection_history where {{schema}}.holds_at(opened_at, closed_at, {before})")).ShouldBe([$"{connection}"]);
        (await QueryAsync("select connection from {schema}.connection_history where {schema}.holds_at(opened_at, closed_at, closed_at)")).ShouldBeEmpty();
    }

    private async Task ShouldHaveAsync(string view, string columns)
    {
        (await QueryAsync(
            $$"""
            select string_agg(column_name || ' ' || case when udt_name like '\_%' then substr(udt_name, 2) || '[]' else udt_name end, ', ' order by ordinal_position)
            from information_schema.columns where table_schema = '{schema}' and table_name = '{{view}}'
            """)).ShouldBe([columns]);
        string documentation = await File.ReadAllTextAsync(Path.Combine(RepositoryRoot(), "docs", "projections.md"), Cancellation);
        documentation.ShouldContain($"`mesh.{view}`");
        foreach (string column in columns.Split(", ").Select(column => column.Split(' ')[0]))
            documentation.ShouldContain($"`{column}`");
    }

    private static string RepositoryRoot()
    {
        string? folder = AppContext.BaseDirectory;
        while (folder is not null && !File.Exists(Path.Combine(folder, "EventMesh.sln")))
            folder = Path.GetDirectoryName(folder);
        return folder ?? throw new InvalidOperationException("The tests do not run inside the repository.");
    }
}
