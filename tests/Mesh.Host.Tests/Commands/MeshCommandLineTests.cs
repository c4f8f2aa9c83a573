using System.Text.Json;
using EventMesh.Events;
using EventMesh.Host.Errors;
using EventMesh.Host.Tests.Support;
using EventMesh.Messaging;
using EventMesh.Tests.Common.Hosting;

namespace EventMesh.Host.Tests.Commands;

public sealed class MeshCommandLineTests
{
    [Theory]
    [InlineData]
    [InlineData("nonsense")]
    [InlineData("send", "abcd")]
    [InlineData("run", "--kind", "server")]
    [InlineData("events", "--after", "-1")]
    [InlineData("events", "--after", "x")]
    [InlineData("receive", "--count", "0")]
    [InlineData("peers", "--output", "xml")]
    [InlineData("send", "abcd", "c", "t", "--request", "--handled")]
    [InlineData("run", "--config", "/no/such/file.json")]
    [InlineData("connect", "127.0.0.1:1", "--expect", "short")]
    public async Task A_wrong_command_line_is_one_message_and_exit_code_2(params string[] args)
    {
        CommandResult result = await CommandResult.RunAsync(args);
        result.Code.ShouldBe(ExitCode.Usage);
        result.Output.ShouldBeEmpty();
        result.Error.ShouldStartWith("mesh: ");
        result.Error.Trim().ShouldNotContain("\n");
        result.Error.ShouldNotContain("   at ");
    }

    [Theory]
    [InlineData("mesh send", "send", "abcd")]
    [InlineData("mesh trust pin", "trust", "pin", "node.example:4433")]
    public async Task A_wrong_command_line_names_the_help_of_its_command(string command, params string[] args) =>
        (await CommandResult.RunAsync(args)).Error.ShouldContain($"`{command} --help` shows what it takes.");

    [Theory]
    [InlineData("peers")]
    [InlineData("cache")]
    [InlineData("trust", "list")]
    [InlineData("trust", "block", "192.0.2.0/24")]
    [InlineData("trust", "log")]
    [InlineData("events")]
    [InlineData("receive")]
    [InlineData("connect", "127.0.0.1:1")]
    [InlineData("disconnect", "abcdefgh")]
    [InlineData("send", "abcdefgh", "c", "t")]
    public async Task Without_a_node_each_command_says_so_with_exit_code_3(params string[] args)
    {
        CommandResult result = await CommandResult.RunAsync([.. args, "--data", "/tmp/mesh-nobody-here"]);
        result.Code.ShouldBe(ExitCode.NodeNotRunning);
        result.Error.Trim().ShouldBe(
            "mesh: No node is running on data directory /tmp/mesh-nobody-here: start one with `mesh run --data /tmp/mesh-nobody-here`.");
    }

    [Fact]
    public async Task With_json_a_failure_is_a_problem_object()
    {
        CommandResult result = await CommandResult.RunAsync("peers", "--data", "/tmp/mesh-nobody-here", "--output", "json");
        JsonElement problem = JsonSerializer.Deserialize<JsonElement>(result.Error);
        problem.GetProperty("type").GetString().ShouldBe("urn:eventmesh:error:node-stopped");
        problem.GetProperty("exitCode").GetInt32().ShouldBe(3);
        problem.GetProperty("error").GetString().ShouldBe("nodeStopped");
        problem.TryGetProperty("trace", out _).ShouldBeFalse();
    }

    [Fact]
    public async Task Verbose_shows_where() =>
        (await CommandResult.RunAsync("peers", "--data", "/tmp/mesh-nobody-here", "--verbose")).Error.ShouldContain("   at ");

    [Fact]
    public async Task Commands_print_what_the_node_answers()
    {
        await using ControlApp app = await ControlApp.StartAsync();
        app.Mesh.Peers = [FakeMesh.InfoOf(3)];
        app.Log.Record(new NodeStopped("test"));
        app.Log.Store();
        string[] data = ["--data", app.DataDirectory];

        CommandResult peers = await CommandResult.RunAsync(["peers", .. data]);
        peers.Code.ShouldBe(ExitCode.Success);
        peers.Output.ShouldContain(FakeMesh.PeerOf(3).ToShortString());

        CommandResult json = await CommandResult.RunAsync(["peers", "--output", "json", .. data]);
        JsonSerializer.Deserialize<JsonElement>(json.Output).GetProperty("peers").GetArrayLength().ShouldBe(1);

        CommandResult events = await CommandResult.RunAsync(["events", "--output", "json", .. data]);
        JsonSerializer.Deserialize<JsonElement>(events.Output).GetProperty("seq").GetInt64().ShouldBe(1);

        CommandResult send = await CommandResult.RunAsync(["send", FakeMesh.PeerOf(3).ToShortString(), "c", "text", .. data]);
        send.Code.ShouldBe(ExitCode.Success);
        app.Mesh.Sent.ShouldHaveSingleItem().Message.Channel.ShouldBe("c");
    }

    [Theory]
    [InlineData(SendOutcome.NotSent, MeshError.NotConnected)]
    [InlineData(SendOutcome.Refused, MeshError.NoHandler)]
    [InlineData(SendOutcome.Refused, MeshError.Busy)]
    [InlineData(SendOutcome.Refused, MeshError.HandlerFailed)]
    [InlineData(SendOutcome.NotSent, MeshError.QueueFull)]
    [InlineData(SendOutcome.Unknown, null)]
    public async Task A_message_that_was_not_delivered_is_exit_code_9(SendOutcome outcome, MeshError? error)
    {
        await using ControlApp app = await ControlApp.StartAsync();
        app.Mesh.Peers = [FakeMesh.InfoOf(3)];
        app.Mesh.OnSend = _ => Task.FromResult((outcome, error));
        CommandResult result = await CommandResult.RunAsync("send", FakeMesh.PeerOf(3).ToString(), "c", "text", "--data", app.DataDirectory);
        result.Code.ShouldBe(ExitCode.NotDelivered);
        result.Error.ShouldStartWith("mesh: ");
    }
}
