using System.Text.Json;
using EventMesh.Host.Errors;
using EventMesh.Host.Tests.Support;
using EventMesh.Identity;
using EventMesh.Marten.Audit;

namespace EventMesh.Host.Tests.Commands;

public sealed class AuditCommandTests : IAsyncLifetime
{
    private ControlApp _app = null!;

    public async ValueTask InitializeAsync() => _app = await ControlApp.StartAsync();

    public async ValueTask DisposeAsync() => await _app.DisposeAsync();

    [Fact]
    public async Task A_good_log_is_said_to_be_good()
    {
        CommandResult result = await RunAsync("verify");

        result.Code.ShouldBe(ExitCode.Success);
        result.Output.ShouldContain("The log of 41 events (chained from place 1, 2 seals, sealed through place 40) is as it was recorded.");
        _app.Audit.Asked.ShouldBeNull();
    }

    [Fact]
    public async Task Each_finding_is_named_and_the_exit_code_tells()
    {
        _app.Audit.Findings.Add(new AuditFinding(AuditProblem.BrokenLink, 7, "the event has no link"));

        CommandResult text = await RunAsync("verify");
        CommandResult json = await RunAsync("verify", "--output", "json");

        text.Code.ShouldBe(ExitCode.AuditFailed);
        ((int)text.Code).ShouldBe(12);
        text.Output.ShouldContain("broken-link at 7: the event has no link");
        json.Code.ShouldBe(ExitCode.AuditFailed);
        JsonElement report = JsonSerializer.Deserialize<JsonElement>(json.Output);
        report.GetProperty("isGood").GetBoolean().ShouldBeFalse();
        report.GetProperty("findings")[0].GetProperty("problem").GetString().ShouldBe("brokenLink");
    }

    [Fact]
    public async Task A_head_that_was_written_to_a_file_is_what_verify_takes()
    {
        string file = Path.Combine(_app.DataDirectory, "head.json");

        CommandResult head = await RunAsync("head", "--file", file);
        CommandResult verify = await RunAsync("verify", "--head", file);

        head.Output.Trim().ShouldBe($"Wrote the signed head at place 41 to {file}.");
        verify.Output.ShouldContain("It extends the head at place 41.");
        _app.Audit.Asked.ShouldNotBeNull().Hash.ShouldBe(_app.Audit.Head.Hash);
    }

    [Fact]
    public async Task A_peer_is_erased_by_its_full_identity_only()
    {
        PeerId peer = EventMesh.Tests.Common.Hosting.FakeMesh.PeerOf(3);

        CommandResult erased = await CommandResult.RunAsync(["privacy", "erase", peer.ToString(), "--data", _app.DataDirectory]);
        CommandResult refused = await CommandResult.RunAsync(["privacy", "erase", peer.ToShortString(), "--data", _app.DataDirectory]);

        erased.Output.Trim().ShouldBe($"Erased the addresses of peer {peer.ToShortString()} in 7 events; the event at place 42 tells of it.");
        refused.Code.ShouldBe(ExitCode.Usage);
        _app.Audit.Forgotten.ShouldBe([peer]);
    }

    [Fact]
    public async Task The_head_goes_to_standard_output_as_one_object()
    {
        JsonElement head = JsonSerializer.Deserialize<JsonElement>((await RunAsync("head")).Output);

        head.GetProperty("place").GetInt64().ShouldBe(41);
        head.GetProperty("hash").GetBytesFromBase64().ShouldBe([1, 2]);
    }

    [Theory]
    [InlineData("{")]
    [InlineData("{}")]
    [InlineData("null")]
    public async Task A_file_that_is_no_head_is_refused(string content)
    {
        string file = Path.Combine(_app.DataDirectory, "head.json");
        await File.WriteAllTextAsync(file, content, TestContext.Current.CancellationToken);

        CommandResult result = await RunAsync("verify", "--head", file);

        result.Code.ShouldBe(ExitCode.Usage);
        result.Error.ShouldStartWith("mesh: ");
    }

    private Task<CommandResult> RunAsync(params string[] args) => CommandResult.RunAsync(["audit", .. args, "--data", _app.DataDirectory]);
}
