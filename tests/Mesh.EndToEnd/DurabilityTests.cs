using System.Text.Json;
using EventMesh.EndToEnd.Support;

namespace EventMesh.EndToEnd;

/// <summary>The short forms of the proofs of durability; docs/testing.md has the long ones.</summary>
[Collection(nameof(OneAtATime))]
public sealed class DurabilityTests : IAsyncLifetime
{
    public async ValueTask InitializeAsync() => await MeshProgram.RequireAsync();

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;

    [Fact]
    public async Task Node_and_database_killed_at_random_points_lose_nothing_that_was_acknowledged()
    {
        MeshProgram.Outcome crash = await MeshProgram.RunAsync("bench", "crash", "--points", "6", "--seed", "3", "--output", "json");
        crash.Code.ShouldBe(0, crash.Error + crash.Output);
        JsonElement result = crash.Json;
        (Number("nodeKilled") + Number("serverKilled") + Number("bothKilled")).ShouldBe(6);
        Number("acknowledged").ShouldBeGreaterThan(0);
        Number("events").ShouldBeGreaterThanOrEqualTo(Number("acknowledged"));
        Number("rebuilds").ShouldBe(1);

        long Number(string name) => result.GetProperty(name).GetInt64();
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_database_that_goes_away_for_a_moment_costs_no_event(bool isShutDown)
    {
        string[] arguments = ["bench", "outage", "--seconds", "2", "--rate", "500", "--output", "json"];
        MeshProgram.Outcome outage = await MeshProgram.RunAsync(isShutDown ? [.. arguments, "--shutdown"] : arguments);
        outage.Code.ShouldBe(0, outage.Error + outage.Output);
        outage.Json.GetProperty("spooled").GetInt64().ShouldBeGreaterThan(0);
        outage.Json.GetProperty("events").GetInt64().ShouldBeGreaterThan(1000);
    }
}
