using System.Diagnostics;
using System.Text.Json;
using EventMesh.EndToEnd.Support;

namespace EventMesh.EndToEnd;

[Collection(nameof(OneAtATime))]
public sealed class DemoTests : IAsyncLifetime
{
    public async ValueTask InitializeAsync() => await MeshProgram.RequireAsync();

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;

    [Fact]
    public async Task The_demo_tells_its_story_as_one_object_and_leaves_nothing_behind()
    {
        string[] before = Left();
        MeshProgram.Outcome demo = await MeshProgram.RunAsync("demo", "--exit", "--output", "json", "--plugins", MeshProgram.Plugins);
        demo.Code.ShouldBe(0, demo.Error);
        JsonElement result = demo.Json;
        result.EnumerateObject().Select(p => p.Name).ShouldBe(
            ["nodes", "transport", "store", "joined", "messagesSent", "messagesReceived", "rejoinedFromCache", "events", "seconds"]);
        result.GetProperty("nodes").GetInt32().ShouldBe(3);
        result.GetProperty("transport").GetString().ShouldBe("ngtcp2");
        result.GetProperty("store").GetString().ShouldBe("postgresql");
        result.GetProperty("joined").GetBoolean().ShouldBeTrue();
        result.GetProperty("messagesSent").GetInt32().ShouldBe(6_000);
        result.GetProperty("messagesReceived").GetInt32().ShouldBe(6_000);
        result.GetProperty("rejoinedFromCache").GetBoolean().ShouldBeTrue();
        result.GetProperty("events").GetInt32().ShouldBeGreaterThan(30);
        Left().Except(before).ShouldBeEmpty();
    }

    [Fact]
    public async Task The_nodes_of_a_killed_demo_end_with_it_and_the_next_one_cleans_up()
    {
        string[] before = Left();
        using (Process demo = MeshProgram.Start(["demo", "--plugins", MeshProgram.Plugins]))
        {
            using CancellationTokenSource limit = new(MeshProgram.Limit);
            while (await demo.StandardOutput.ReadLineAsync(limit.Token) is { } line && !line.Contains("They run", StringComparison.Ordinal))
            {
                // Its nodes are starting.
            }
            string folder = Left().Except(before).Single(p => p.StartsWith(Path.GetTempPath(), StringComparison.Ordinal));
            Process[] nodes = [.. Process.GetProcessesByName("mesh").Where(p => File.ReadAllText($"/proc/{p.Id}/cmdline").Contains(folder, StringComparison.Ordinal))];
            nodes.Length.ShouldBe(3);
            demo.Kill();
            await Task.WhenAll(nodes.Select(n => n.WaitForExitAsync(limit.Token)));
        }
        MeshProgram.Outcome next = await MeshProgram.RunAsync("demo", "--exit", "--output", "json", "--plugins", MeshProgram.Plugins);
        next.Code.ShouldBe(0, next.Error);
        Left().Except(before).ShouldBeEmpty();
    }

    [Fact]
    public async Task Without_its_plugin_the_demo_says_where_it_looks()
    {
        MeshProgram.Outcome demo = await MeshProgram.RunAsync("demo", "--exit", "--plugins", "/no/such/folder");
        demo.Code.ShouldBe(8);
        demo.Error.ShouldStartWith("mesh: There is no plugin folder /no/such/folder.");
    }

    private static string[] Left() =>
    [
        .. Directory.GetDirectories(Path.GetTempPath(), "eventmesh-demo-*"),
        .. new[] { "/var/lib/eventmesh", "/run/eventmesh" }.Where(Directory.Exists).SelectMany(Directory.GetDirectories),
    ];
}
