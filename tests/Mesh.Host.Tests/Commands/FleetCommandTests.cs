using System.Text.Json;
using EventMesh.Events;
using EventMesh.Host.Errors;
using EventMesh.Host.Tests.Support;
using EventMesh.Identity;
using EventMesh.Marten.Queries;
using EventMesh.Projections;
using EventMesh.Tests.Common.Hosting;

namespace EventMesh.Host.Tests.Commands;

/// <summary>The fleet as a running node tells it; against a database it is tested with the views.</summary>
public sealed class FleetCommandTests : IAsyncLifetime
{
    private static readonly NodeId One = new(Guid.Parse("0197a000-0000-7000-8000-000000000001"));
    private static readonly NodeId Two = new(Guid.Parse("0197a000-0000-7000-8000-000000000002"));
    private static readonly DateTimeOffset At = new(2026, 11, 23, 1, 2, 3, TimeSpan.Zero);
    private ControlApp _app = null!;

    public async ValueTask InitializeAsync() => _app = await ControlApp.StartAsync(fleet: new Fleet());

    public async ValueTask DisposeAsync() => await _app.DisposeAsync();

    [Theory]
    [InlineData("fleet")]
    [InlineData("fleet", "list")]
    public async Task The_nodes_are_listed_with_their_place_and_who_leads(params string[] args)
    {
        CommandResult result = await RunAsync(args);
        result.Code.ShouldBe(ExitCode.Success, result.Error);
        string[] lines = result.Output.Split('\n', StringSplitOptions.RemoveEmptyEntries);
        lines[1].ShouldContain($"{One}");
        lines[1].ShouldContain("running");
        lines[1].ShouldContain("1234");
        lines[2].ShouldContain("unknown");
        lines[3].ShouldBe($"The projections follow by node {Two}: process 77 on b, since 2026-11-23 01:02:03Z.");
    }

    [Fact]
    public async Task Json_has_the_leader_and_the_nodes()
    {
        CommandResult result = await RunAsync("fleet", "list", "--output", "json");
        using JsonDocument json = JsonDocument.Parse(result.Output);
        json.RootElement.GetProperty("leader").GetProperty("processId").GetInt32().ShouldBe(77);
        json.RootElement.GetProperty("nodes")[0].GetProperty("lag").GetInt64().ShouldBe(3);
    }

    [Theory]
    [InlineData("agent/9", "peers", "--fleet")]
    [InlineData("192.0.2.7:1", "cache", "--fleet")]
    [InlineData("192.0.2.7:1", "cache", "list", "--fleet")]
    [InlineData("it floods", "trust", "list", "--fleet")]
    public async Task Peers_cache_and_trust_of_all_nodes_name_the_node(string expected, params string[] args)
    {
        CommandResult result = await RunAsync(args);
        result.Code.ShouldBe(ExitCode.Success, result.Error);
        result.Output.Split('\n', StringSplitOptions.RemoveEmptyEntries)[0].ShouldContain("node");
        result.Output.ShouldContain($"{Two}");
        result.Output.ShouldContain(expected);
    }

    [Fact]
    public async Task A_database_is_asked_only_with_fleet()
    {
        CommandResult result = await RunAsync("peers", "--store", "Host=a");
        result.Code.ShouldBe(ExitCode.Usage);
        result.Error.ShouldContain("--fleet");
    }

    [Fact]
    public async Task A_database_that_is_away_is_named_without_a_stack_trace()
    {
        CommandResult result = await RunAsync("fleet", "list", "--store", "Host=127.0.0.1;Port=1;Username=x;Password=secret;Timeout=2");
        result.Code.ShouldBe(ExitCode.Store);
        result.Error.ShouldNotContain("secret");
        result.Error.ShouldNotContain("   at ");
    }

    private async Task<CommandResult> RunAsync(params string[] args) => await CommandResult.RunAsync([.. args, "--data", _app.DataDirectory]);

    private sealed class Fleet : IFleetQueries
    {
        public Task<IReadOnlyList<FleetNode>> GetNodesAsync(CancellationToken cancellationToken = default) => Task.FromResult<IReadOnlyList<FleetNode>>(
        [
            new(One, FakeMesh.PeerOf(1), "agent/1", "running", "192.0.2.1:1", 2, 1234, At, 3), new(Two, null, null, "unknown", null, 1, 1, At, 1),
        ]);

        public Task<IReadOnlyList<FleetPeer>> GetPeersAsync(CancellationToken cancellationToken = default) =>
            Task.FromResult<IReadOnlyList<FleetPeer>>([new(Two, FakeMesh.PeerOf(1), PeerKind.Node, ["192.0.2.7:1"], "agent/9", At)]);

        public Task<IReadOnlyList<FleetCacheEntry>> GetCacheAsync(CancellationToken cancellationToken = default) =>
            Task.FromResult<IReadOnlyList<FleetCacheEntry>>([new(Two, FakeMesh.PeerOf(1), ["192.0.2.7:1"], ConnectionDirection.Inbound, true, 0, At)]);

        public Task<IReadOnlyList<FleetDecision>> GetTrustAsync(CancellationToken cancellationToken = default) => Task.FromResult<IReadOnlyList<FleetDecision>>(
            [new(Two, new TrustLedgerEntry(TrustLedgerKind.Block, FakeMesh.PeerOf(1).ToString(), null, "it floods", "root", At, null))]);

        public Task<FleetLeader?> GetLeaderAsync(CancellationToken cancellationToken = default) => Task.FromResult<FleetLeader?>(new(4, Two, "b", 77, At, true));
    }
}
