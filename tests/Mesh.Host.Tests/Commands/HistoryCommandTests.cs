using System.Net;
using System.Text.Json;
using EventMesh.Events;
using EventMesh.Host.Errors;
using EventMesh.Host.Tests.Support;
using EventMesh.Identity;
using EventMesh.Tests.Common.Hosting;

namespace EventMesh.Host.Tests.Commands;

public sealed class HistoryCommandTests : IAsyncLifetime
{
    private ControlApp _app = null!;

    public async ValueTask InitializeAsync()
    {
        _app = await ControlApp.StartAsync();
        for (byte i = 1; i <= 3; i++) _app.Log.Record(new PeerJoined(FakeMesh.PeerOf(i), Guid.Empty, PeerKind.Node, [], $"agent/{i}"));
        _app.Log.Record(new PeerLeft(FakeMesh.PeerOf(1), CloseReason.Idle));
        _app.Log.Record(new CacheEntryAdded(FakeMesh.PeerOf(2), [], [1], ConnectionDirection.Inbound));
        _app.Log.Record(new ConnectionOpened(Guid.Empty, FakeMesh.PeerOf(2), new IPEndPoint(IPAddress.Loopback, 7), ConnectionDirection.Outbound));
        _app.Log.Store();
    }

    public async ValueTask DisposeAsync() => await _app.DisposeAsync();

    [Fact]
    public async Task Peers_as_of_a_time_come_with_the_place_they_are_as_of()
    {
        // The fake's events are a second apart.
        JsonElement answer = await JsonAsync("peers", "--as-of", "1970-01-01T00:00:02.5Z");
        answer.GetProperty("peers").GetArrayLength().ShouldBe(2);
        JsonElement asOf = answer.GetProperty("asOf");
        asOf.GetProperty("seq").GetInt64().ShouldBe(2);
        asOf.GetProperty("isComplete").GetBoolean().ShouldBeTrue();
        asOf.GetProperty("notStored").GetInt64().ShouldBe(0);
        answer.GetProperty("next").ValueKind.ShouldBe(JsonValueKind.Null);
    }

    [Fact]
    public async Task A_relative_time_is_taken_for_what_it_is()
    {
        CommandResult result = await RunAsync("peers", "--as-of", "-2h");
        result.Code.ShouldBe(ExitCode.Success, result.Error);
        result.Output.ShouldContain("agent/3");
        result.Output.ShouldNotContain("agent/1");
        result.Error.Trim().ShouldBe("As of place 6 of the log (1970-01-01 00:00:06Z).");
    }

    [Fact]
    public async Task An_answer_behind_the_time_says_so()
    {
        _app.Queries.Folded = 1;
        _app.Log.Record(new PeerJoined(FakeMesh.PeerOf(9), Guid.Empty, PeerKind.Node, [], "agent/9"));
        CommandResult result = await RunAsync("peers", "--as-of", "-0s");
        result.Output.ShouldContain("agent/1");
        result.Error.ShouldContain("The projection lags: the log has 5 more events up to that time.");
        result.Error.ShouldContain("1 recorded events are on their way to the store");
    }

    [Fact]
    public async Task Without_a_time_peers_and_cache_answer_from_memory()
    {
        _app.Mesh.Peers = [FakeMesh.InfoOf(1)];
        (await JsonAsync("peers")).GetProperty("peers").GetArrayLength().ShouldBe(1);
        (await JsonAsync("cache", "list")).GetProperty("entries").GetArrayLength().ShouldBe(1);
        _app.Queries.Filter.ShouldBeNull();
    }

    [Fact]
    public async Task The_cache_as_of_a_time_is_listed()
    {
        (await JsonAsync("cache", "list", "--as-of", "1970-01-01T00:00:04Z")).GetProperty("entries").GetArrayLength().ShouldBe(0);
        JsonElement answer = await JsonAsync("cache", "--as-of", "1970-01-01T00:00:05Z");
        answer.GetProperty("entries")[0].GetProperty("peer").GetString().ShouldBe(FakeMesh.PeerOf(2).ToString());
        answer.GetProperty("asOf").GetProperty("seq").GetInt64().ShouldBe(5);
    }

    [Fact]
    public async Task What_is_asked_of_connections_reaches_the_query()
    {
        CommandResult result = await RunAsync(
            "connections", "--peer", "ABCD", "--open-at", "-1h", "--reason", "peershutdown", "--direction", "inbound", "--limit", "7", "--sort", "oldest",
            "--after", "some-cursor");
        result.Code.ShouldBe(ExitCode.Success, result.Error);
        Marten.Queries.ConnectionFilter filter = _app.Queries.Connections!;
        filter.PeerPrefix.ShouldBe("abcd");
        filter.OpenAt!.Value.ShouldBe(DateTimeOffset.UtcNow.AddHours(-1), TimeSpan.FromMinutes(10));
        filter.Reason.ShouldBe(CloseReason.PeerShutdown);
        filter.Direction.ShouldBe(ConnectionDirection.Inbound);
        filter.Limit.ShouldBe(7);
        filter.OldestFirst.ShouldBeTrue();
        filter.After.ShouldBe("some-cursor");
    }

    [Fact]
    public async Task Connections_are_listed_with_what_stands()
    {
        CommandResult result = await RunAsync("connections");
        result.Output.ShouldContain(FakeMesh.PeerOf(2).ToShortString());
        result.Output.ShouldContain("stands");
        (await JsonAsync("connections")).GetProperty("connections")[0].GetProperty("closedAt").ValueKind.ShouldBe(JsonValueKind.Null);
    }

    [Fact]
    public async Task A_timeline_is_printed_of_a_peer_that_only_history_knows()
    {
        _app.Queries.Met = [FakeMesh.PeerOf(1)];
        string peer = FakeMesh.PeerOf(1).ToShortString().ToUpperInvariant();
        CommandResult result = await RunAsync("timeline", peer, "--type", "peer.*", "--type", "connection.opened", "--from", "-1d", "--to", "-1h", "--sort", "newest");
        result.Code.ShouldBe(ExitCode.Success, result.Error);
        result.Output.Trim().Split('\n').Select(line => line.Split("  ", StringSplitOptions.RemoveEmptyEntries)[2].Trim()).ShouldBe(["peer.joined.v1", "peer.left.v1"]);
        Marten.Queries.TimelineFilter filter = _app.Queries.Timeline!;
        filter.Types!.ShouldContain("connection.opened.v1");
        filter.Types!.Where(type => type.StartsWith("peer.", StringComparison.Ordinal)).Count().ShouldBeGreaterThan(5);
        filter.NewestFirst.ShouldBeTrue();
        (filter.To - filter.From)!.Value.ShouldBe(TimeSpan.FromHours(23), TimeSpan.FromMinutes(1));
        JsonElement json = await JsonAsync("timeline", FakeMesh.PeerOf(1).ToString());
        json.GetProperty("peer").GetString().ShouldBe(FakeMesh.PeerOf(1).ToString());
        json.GetProperty("events").GetArrayLength().ShouldBe(2);
        json.GetProperty("asOf").GetProperty("seq").GetInt64().ShouldBe(6);
        _app.Queries.Timeline!.Types.ShouldBeNull();
        _app.Queries.Timeline.NewestFirst.ShouldBeFalse();
    }

    [Fact]
    public async Task The_difference_between_two_times_is_printed_net_or_with_each_change()
    {
        string[] range = ["diff", "--from", "1970-01-01T00:00:01Z", "--to", "1970-01-01T00:00:06Z"];
        CommandResult net = await RunAsync(range);
        net.Code.ShouldBe(ExitCode.Success, net.Error);
        net.Output.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => line.Split(' ')[0])
            .ShouldBe(["joined", "joined", "left", "enteredCache", "3"]);
        net.Output.ShouldContain("3 connections were opened, 4 closed.");
        JsonElement json = await JsonAsync(range);
        json.GetProperty("from").GetProperty("seq").GetInt64().ShouldBe(1);
        json.GetProperty("to").GetProperty("seq").GetInt64().ShouldBe(6);
        json.GetProperty("changes").GetArrayLength().ShouldBe(4);
        json.GetProperty("connectionsOpened").GetInt64().ShouldBe(3);

        CommandResult each = await RunAsync([.. range, "--all", "--limit", "3"]);
        each.Output.Split('\n', StringSplitOptions.RemoveEmptyEntries).Length.ShouldBe(3);
        each.Error.ShouldContain("--after cursor");
        (await JsonAsync([.. range, "--all"])).GetProperty("changes")[2].GetProperty("kind").GetString().ShouldBe("left");
    }

    [Fact]
    public async Task The_ledger_as_of_a_time_is_listed_and_without_one_that_of_memory()
    {
        _app.Log.Record(new PeerPinned("node.example:4433", FakeMesh.PeerOf(3), PinOrigin.ByHand, "root"));
        _app.Log.Record(new PeerBlocked(FakeMesh.PeerOf(2), "it floods", null, "limits"));
        _app.Log.Store();
        CommandResult result = await RunAsync("trust", "list", "--as-of", "1970-01-01T00:00:07Z");
        result.Code.ShouldBe(ExitCode.Success, result.Error);
        result.Output.ShouldContain($"node.example:4433 to {FakeMesh.PeerOf(3).ToShortString()}");
        result.Output.ShouldNotContain("it floods");
        result.Error.ShouldContain("As of place 7");
        (await JsonAsync("trust", "list", "--as-of", "-1h")).GetProperty("decisions").GetArrayLength().ShouldBe(2);
        (await JsonAsync("trust", "list")).GetProperty("blockedPeers").GetArrayLength().ShouldBe(1);
    }

    [Fact]
    public async Task The_topology_is_that_of_the_node_or_of_all_that_share_the_store()
    {
        JsonElement own = await JsonAsync("topology", "--as-of", "1970-01-01T00:00:03Z");
        own.GetProperty("edges").GetArrayLength().ShouldBe(3);
        own.GetProperty("asOf").GetArrayLength().ShouldBe(1);
        own.GetProperty("asOf")[0].GetProperty("asOf").GetProperty("seq").GetInt64().ShouldBe(3);
        JsonElement fleet = await JsonAsync("topology", "--fleet");
        fleet.GetProperty("edges").GetArrayLength().ShouldBe(4);
        fleet.GetProperty("asOf").GetArrayLength().ShouldBe(2);
        (await RunAsync("topology")).Output.ShouldContain(FakeMesh.PeerOf(2).ToShortString());
    }

    [Fact]
    public async Task The_next_page_is_named()
    {
        CommandResult result = await RunAsync("peers", "--limit", "1");
        result.Error.ShouldContain("There is more: --after cursor");
    }

    [Theory]
    [InlineData("needs a zone", "peers", "--as-of", "2026-01-01T00:00:00")]
    [InlineData("in the future", "cache", "list", "--as-of", "2999-01-01T00:00:00Z")]
    [InlineData("takes a time", "peers", "--as-of", "soon")]
    [InlineData("from 1 to 1000", "connections", "--limit", "1001")]
    [InlineData("from 1 to 1000", "peers", "--limit", "0")]
    [InlineData("--direction takes outbound or inbound", "connections", "--direction", "up")]
    [InlineData("No known peer's identity begins with 'zzzz'", "timeline", "zzzz")]
    [InlineData("at least its first 4 characters", "timeline", "zz")]
    [InlineData("There is no event 'peer.jumped'", "timeline", "zzzz", "--type", "peer.jumped")]
    [InlineData("'from' is after 'to'", "timeline", "zzzz", "--from", "-1h", "--to", "-2h")]
    [InlineData("--from", "diff", "--to", "-1h")]
    [InlineData("'from' is after 'to'", "diff", "--from", "-1h", "--to", "-2h")]
    [InlineData("are for --all", "diff", "--from", "-1h", "--limit", "3")]
    [InlineData("in the future", "topology", "--as-of", "2999-01-01T00:00:00Z")]
    [InlineData("not the beginning of an identity", "connections", "--peer", "a*")]
    public async Task A_wrong_value_is_refused_with_what_is_wrong(string expected, params string[] args)
    {
        CommandResult result = await RunAsync(args);
        result.Code.ShouldNotBe(ExitCode.Success);
        result.Error.ShouldContain(expected);
    }

    private async Task<JsonElement> JsonAsync(params string[] args)
    {
        CommandResult result = await RunAsync([.. args, "--output", "json"]);
        result.Code.ShouldBe(ExitCode.Success, result.Error);
        return JsonSerializer.Deserialize<JsonElement>(result.Output);
    }

    private Task<CommandResult> RunAsync(params string[] args) => CommandResult.RunAsync([.. args, "--data", _app.DataDirectory]);
}
