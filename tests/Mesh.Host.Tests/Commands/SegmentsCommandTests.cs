using System.Text.Json;
using EventMesh.Host.Errors;
using EventMesh.Host.Tests.Support;

namespace EventMesh.Host.Tests.Commands;

public sealed class SegmentsCommandTests : IAsyncLifetime
{
    private ControlApp _app = null!;

    public async ValueTask InitializeAsync() => _app = await ControlApp.StartAsync();

    public async ValueTask DisposeAsync() => await _app.DisposeAsync();

    [Theory]
    [InlineData]
    [InlineData("list")]
    public async Task Months_are_listed_with_their_state(params string[] args)
    {
        CommandResult result = await RunAsync(args);

        result.Code.ShouldBe(ExitCode.Success);
        result.Output.ShouldContain("peers/2026-01");
        result.Output.ShouldContain("archived");
        result.Output.ShouldContain("cache/2026-03");
    }

    [Fact]
    public async Task Closed_months_are_compressed_at_the_configured_age_or_at_another()
    {
        (await RunAsync("archive")).Code.ShouldBe(ExitCode.Success);
        _app.Segments.Asked.ShouldBe(TimeSpan.FromDays(60));

        CommandResult result = await RunAsync("archive", "--older-than", "0");
        result.Output.ShouldContain("Compressed 1 months, 4,000 events.");
        _app.Segments.Asked.ShouldBe(TimeSpan.Zero);
    }

    [Fact]
    public async Task Nothing_is_dropped_without_being_told_twice()
    {
        CommandResult dry = await RunAsync("drop", "--older-than", "90");
        dry.Code.ShouldBe(ExitCode.Success);
        dry.Output.ShouldContain("Would remove 1 months");
        _app.Segments.IsDropped.ShouldBeFalse();
        _app.Segments.Asked.ShouldBe(TimeSpan.FromDays(90));

        CommandResult done = await RunAsync("drop", "--older-than", "90", "--yes", "--output", "json");
        _app.Segments.IsDropped.ShouldBeTrue();
        using JsonDocument json = JsonDocument.Parse(done.Output);
        json.RootElement.GetProperty("isDone").GetBoolean().ShouldBeTrue();
        json.RootElement.GetProperty("segments")[0].GetProperty("status").GetString().ShouldBe("dropped");
    }

    [Fact]
    public async Task A_drop_without_an_age_tells_how_to_give_one()
    {
        CommandResult result = await RunAsync("drop", "--yes");

        result.Code.ShouldBe(ExitCode.Usage);
        result.Error.ShouldContain("--older-than");
        _app.Segments.IsDropped.ShouldBeFalse();
    }

    private Task<CommandResult> RunAsync(params string[] args) => CommandResult.RunAsync(["segments", .. args, "--data", _app.DataDirectory]);
}
