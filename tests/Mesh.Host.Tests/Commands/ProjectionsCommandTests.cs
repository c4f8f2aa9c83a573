using System.Text.Json;
using EventMesh.Host.Errors;
using EventMesh.Host.Tests.Support;
using EventMesh.Marten.Queries;

namespace EventMesh.Host.Tests.Commands;

public sealed class ProjectionsCommandTests : IAsyncLifetime
{
    private static readonly DateTimeOffset Since = new(2026, 11, 23, 1, 2, 3, TimeSpan.Zero);
    private ControlApp _app = null!;

    public async ValueTask InitializeAsync() => _app = await ControlApp.StartAsync();

    public async ValueTask DisposeAsync() => await _app.DisposeAsync();

    [Theory]
    [InlineData]
    [InlineData("list")]
    public async Task Each_projection_is_listed_with_its_place_its_lag_and_why_it_is_paused(params string[] args)
    {
        _app.Projections.All[1] = Paused();
        CommandResult result = await RunAsync(args);
        result.Code.ShouldBe(ExitCode.Success);
        result.Output.ShouldContain("bootstrap_cache");
        result.Output.ShouldContain("following");
        result.Output.ShouldContain("paused");
        result.Output.ShouldContain("trust_ledger is paused since 2026-11-23 01:02:03Z: an event 'x' that is not known");
    }

    [Fact]
    public async Task The_list_is_one_object_in_JSON()
    {
        _app.Projections.All[1] = Paused();
        CommandResult result = await RunAsync("--output", "json");
        JsonElement trust = JsonSerializer.Deserialize<JsonElement>(result.Output).GetProperty("projections")[1];
        trust.GetProperty("name").GetString().ShouldBe("trust_ledger");
        trust.GetProperty("state").GetString().ShouldBe("paused");
        trust.GetProperty("nodeSeq").GetInt64().ShouldBe(3);
        trust.GetProperty("lag").GetInt64().ShouldBe(4);
        trust.GetProperty("lagSeconds").GetDouble().ShouldBe(61.5);
        trust.GetProperty("pausedReason").GetString().ShouldBe("an event 'x' that is not known");
    }

    [Fact]
    public async Task One_or_all_are_rebuilt()
    {
        (await RunAsync("rebuild", "trust_ledger")).Output.Trim().ShouldBe("Rebuilt trust_ledger up to place 7.");
        _app.Projections.Rebuilt.ShouldBe(["trust_ledger"]);
        CommandResult all = await RunAsync("rebuild", "--all", "--output", "json");
        JsonSerializer.Deserialize<JsonElement>(all.Output).GetProperty("projections").GetArrayLength().ShouldBe(2);
        _app.Projections.Rebuilt.ShouldBe(["trust_ledger", "bootstrap_cache", "trust_ledger"]);
    }

    [Theory]
    [InlineData("rebuild")]
    [InlineData("rebuild", "trust_ledger", "--all")]
    [InlineData("rebuild", "nothing")]
    public async Task A_rebuild_needs_one_name_that_there_is_or_all(params string[] args)
    {
        (await RunAsync(args)).Code.ShouldBe(ErrorCatalog.Get(MeshError.InvalidConfiguration).ExitCode);
        _app.Projections.Rebuilt.ShouldBeEmpty();
    }

    [Fact]
    public async Task A_second_rebuild_is_refused_with_the_reason()
    {
        _app.Projections.OnRebuild = (name, _) => throw new MeshException(MeshError.ConcurrencyConflict, $"A rebuild of projection '{name}' is under way already.");
        CommandResult result = await RunAsync("rebuild", "trust_ledger");
        result.Code.ShouldNotBe(ExitCode.Success);
        result.Error.Trim().ShouldBe("mesh: A rebuild of projection 'trust_ledger' is under way already.");
    }

    [Fact]
    public async Task A_rebuild_that_was_interrupted_is_told_with_how_to_go_on()
    {
        _app.Projections.All[0] = _app.Projections.All[0] with { RebuiltSeq = 5 };
        (await RunAsync()).Output.ShouldContain("A rebuild of bootstrap_cache was interrupted: `mesh projections rebuild bootstrap_cache` goes on with it.");
    }

    [Fact]
    public async Task Health_is_degraded_while_a_projection_is_paused_or_too_far_behind()
    {
        (await HealthAsync()).ShouldBe("ready");
        _app.Projections.All[1] = Paused();
        (await HealthAsync()).ShouldBe("degraded: projection trust_ledger is paused at place 3: an event 'x' that is not known");
        _app.Projections.All[1] = Paused() with { State = ProjectionState.Following, PausedReason = null };
        (await HealthAsync()).ShouldBe("degraded: projection trust_ledger is 4 events and 62 s behind (limit 30 s)");
    }

    private static ProjectionStatus Paused() => new("trust_ledger", 3, 7, 4)
    {
        State = ProjectionState.Paused,
        LagTime = TimeSpan.FromSeconds(61.5),
        PausedReason = "an event 'x' that is not known",
        PausedAt = Since,
    };

    private async Task<string> HealthAsync()
    {
        using HttpClient client = new(new SocketsHttpHandler
        {
            ConnectCallback = async (_, token) =>
            {
                System.Net.Sockets.Socket socket = new(
                    System.Net.Sockets.AddressFamily.Unix, System.Net.Sockets.SocketType.Stream, System.Net.Sockets.ProtocolType.Unspecified);
                await socket.ConnectAsync(new System.Net.Sockets.UnixDomainSocketEndPoint(EventMesh.Host.Control.ControlSocket.GetPath(_app.DataDirectory)), token);
                return new System.Net.Sockets.NetworkStream(socket, ownsSocket: true);
            },
        });
        return await client.GetStringAsync(new Uri("http://mesh/health/ready"), TestContext.Current.CancellationToken);
    }

    private Task<CommandResult> RunAsync(params string[] args) => CommandResult.RunAsync(["projections", .. args, "--data", _app.DataDirectory]);
}
