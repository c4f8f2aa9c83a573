using System.Net;
using System.Text.Json;
using EventMesh.Events;
using EventMesh.Host.Errors;
using EventMesh.Host.Tests.Support;
using EventMesh.Identity;
using EventMesh.Journal;
using EventMesh.Tests.Common.Hosting;

namespace EventMesh.Host.Tests.Commands;

public sealed class ExportCommandTests : IAsyncLifetime
{
    private readonly List<RecordedEvent> _recorded = [];
    private ControlApp _app = null!;

    private string Out => Path.Combine(_app.DataDirectory, "log.jsonl");

    public async ValueTask InitializeAsync()
    {
        _app = await ControlApp.StartAsync();
        IMeshEvent[] events =
        [
            new NodeStopped("ü \" \\"), new PeerJoined(FakeMesh.PeerOf(1), Guid.NewGuid(), PeerKind.Node, [new IPEndPoint(IPAddress.Loopback, 7)], "a/1"),
            new ConnectionClosed(Guid.NewGuid(), FakeMesh.PeerOf(1), CloseReason.Lost, 1, 2, 3, 4, TimeSpan.FromTicks(1)),
            new CacheEntryAdded(FakeMesh.PeerOf(2), [], [0, 255], ConnectionDirection.Inbound), new PeerLeft(FakeMesh.PeerOf(1), CloseReason.Lost),
        ];
        foreach (IMeshEvent data in events) _recorded.Add(_app.Log.Record(data));
        _app.Log.Store();
    }

    public async ValueTask DisposeAsync() => await _app.DisposeAsync();

    [Theory]
    [InlineData("jsonl")]
    [InlineData("cloudevents")]
    public async Task What_is_exported_is_imported_as_it_was(string format)
    {
        CommandResult export = await RunAsync("export", "--format", format, "--out", Out);
        export.Code.ShouldBe(ExitCode.Success, export.Error);
        export.Output.Trim().ShouldBe($"Wrote 5 events to {Out}.");
        Directory.GetFiles(_app.DataDirectory, "*.part").ShouldBeEmpty();

        CommandResult import = await RunAsync("import", Out, "--output", "json");

        import.Code.ShouldBe(ExitCode.Success, import.Error);
        import.Output.Trim().ShouldBe($$"""{"node":"{{Guid.Empty}}","events":5}""");
        _app.Queries.Import!.Value.Through.ShouldBe(format == "jsonl" ? 5 : null);
        _app.Queries.Imported.Select(Text).ShouldBe(_recorded.Select(Text));
    }

    [Fact]
    public async Task A_cloud_event_says_what_the_specification_asks_for()
    {
        (await RunAsync("export", "--format", "cloudevents", "--out", Out)).Code.ShouldBe(ExitCode.Success);
        JsonElement[] all = [.. (await File.ReadAllLinesAsync(Out, TestContext.Current.CancellationToken)).Select(line => JsonSerializer.Deserialize<JsonElement>(line))];
        JsonElement[] lines = all[..^1];
        JsonElement end = all[^1];
        end.GetProperty("specversion").GetString().ShouldBe("1.0");
        end.GetProperty("type").GetString().ShouldBe("eventmesh.export.ended.v1");
        end.GetProperty("source").GetString().ShouldBe($"urn:eventmesh:node:{Guid.Empty}");
        end.GetProperty("id").GetString().ShouldNotBeNullOrEmpty();
        end.GetProperty("data").GetProperty("events").GetInt64().ShouldBe(5);
        end.GetProperty("data").GetProperty("through").GetInt64().ShouldBe(5);
        JsonElement joined = lines[1];
        joined.GetProperty("specversion").GetString().ShouldBe("1.0");
        joined.GetProperty("id").GetGuid().ShouldBe(_recorded[1].Id);
        joined.GetProperty("source").GetString().ShouldBe($"urn:eventmesh:node:{Guid.Empty}");
        joined.GetProperty("type").GetString().ShouldBe("peer.joined.v1");
        joined.GetProperty("time").GetString().ShouldBe("1970-01-01T00:00:02Z");
        joined.GetProperty("subject").GetString().ShouldBe(FakeMesh.PeerOf(1).ToString());
        joined.GetProperty("datacontenttype").GetString().ShouldBe("application/json");
        joined.GetProperty("data").GetProperty("agent").GetString().ShouldBe("a/1");
        lines.Select(line => line.GetProperty("sequence").GetString()).Order(StringComparer.Ordinal).ShouldBe(lines.Select(line => line.GetProperty("sequence").GetString()));
        lines[0].TryGetProperty("subject", out _).ShouldBeFalse();
        // Names of attributes are lower-case letters and digits (CloudEvents 1.0, 2.1).
        lines.SelectMany(line => line.EnumerateObject()).Select(property => property.Name).ShouldAllBe(name => name.All(c => char.IsAsciiLetterLower(c) || char.IsAsciiDigit(c)));
    }

    [Theory]
    [InlineData("cut off", new[] { 0, 1, 2, 3, 4 })]
    [InlineData("cut off", new[] { 0, 1 })]
    [InlineData("5 events", new[] { 0, 1, 3, 4, 5 })]
    [InlineData("5 events", new[] { 0, 1, 2, 4, 3, 5 })]
    [InlineData("behind its end", new[] { 0, 1, 2, 3, 4, 5, 4 })]
    public async Task Cloud_events_that_lack_a_line_or_their_end_are_refused(string why, int[] kept)
    {
        (await RunAsync("export", "--format", "cloudevents", "--out", Out)).Code.ShouldBe(ExitCode.Success);
        string[] lines = await File.ReadAllLinesAsync(Out, TestContext.Current.CancellationToken);
        await File.WriteAllLinesAsync(Out, kept.Select(i => lines[i]), TestContext.Current.CancellationToken);

        CommandResult result = await RunAsync("import", Out);

        result.Code.ShouldBe(ExitCode.Usage);
        result.Error.ShouldContain(why);
    }

    [Theory]
    [InlineData(new long[] { 3, 4 }, "--after-place", "2", "--through-place", "4")]
    [InlineData(new long[] { 2, 3 }, "--from", "1970-01-01T00:00:02Z", "--to", "1970-01-01T00:00:03.5Z")]
    [InlineData(new long[] { 2, 5 }, "--type", "peer.*")]
    public async Task A_range_or_some_types_are_exported_to_standard_output(long[] expected, params string[] args)
    {
        CommandResult result = await RunAsync(["export", .. args]);
        result.Code.ShouldBe(ExitCode.Success, result.Error);
        JsonElement[] lines = [.. result.Output.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => JsonSerializer.Deserialize<JsonElement>(line))];
        lines[0].GetProperty("format").GetString().ShouldBe("eventmesh-log");
        lines[1..].Select(line => line.GetProperty("seq").GetInt64()).ShouldBe(expected);
    }

    [Fact]
    public async Task Some_types_are_no_log()
    {
        (await RunAsync("export", "--type", "peer.*", "--out", Out)).Code.ShouldBe(ExitCode.Success);
        CommandResult result = await RunAsync("import", Out);
        result.Code.ShouldBe(ExitCode.Usage);
        result.Error.ShouldContain("only some types of events");
        _app.Queries.Import.ShouldBeNull();

        // Those say it at their end, when the store takes all back.
        (await RunAsync("export", "--type", "peer.*", "--format", "cloudevents", "--out", Out)).Code.ShouldBe(ExitCode.Success);
        (await RunAsync("import", Out)).Error.ShouldContain("only some types of events");
    }

    [Theory]
    [InlineData("")]
    [InlineData("{}")]
    [InlineData("nonsense")]
    [InlineData("[1]")]
    [InlineData("""{"format":"eventmesh-cache","version":1}""")]
    [InlineData("""{"specversion":"1.0","source":"https://example.org"}""")]
    public async Task A_file_that_is_no_export_is_refused(string content)
    {
        await File.WriteAllTextAsync(Out, content, TestContext.Current.CancellationToken);
        CommandResult result = await RunAsync("import", Out);
        result.Code.ShouldBe(ExitCode.Usage, result.Error);
        result.Error.ShouldContain("no exported log");
    }

    [Fact]
    public async Task A_damaged_line_is_named()
    {
        (await RunAsync("export", "--out", Out)).Code.ShouldBe(ExitCode.Success);
        string[] lines = await File.ReadAllLinesAsync(Out, TestContext.Current.CancellationToken);
        lines[3] = lines[3][..20];
        await File.WriteAllLinesAsync(Out, lines, TestContext.Current.CancellationToken);
        (await RunAsync("import", Out)).Error.ShouldContain("in line 4");
    }

    [Fact]
    public async Task A_file_stays_as_it_was_when_the_export_fails()
    {
        await File.WriteAllTextAsync(Out, "old", TestContext.Current.CancellationToken);
        (await RunAsync("export", "--out", Out, "--type", "nothing")).Code.ShouldBe(ExitCode.Usage);
        (await RunAsync("export", "--out", Out, "--after-place", "1", "--from", "-1d")).Error.ShouldContain("by times or by places");
        (await RunAsync("export", "--out", Out, "--after-place", "4", "--through-place", "2")).Error.ShouldContain("The range is empty");
        (await File.ReadAllTextAsync(Out, TestContext.Current.CancellationToken)).ShouldBe("old");
        (await RunAsync("export", "--out", Path.Combine(_app.DataDirectory, "no", "such", "folder"))).Code.ShouldBe(ExitCode.Usage);
        Directory.GetFiles(_app.DataDirectory, "*.part").ShouldBeEmpty();
    }

    [Fact]
    public async Task Another_nodes_history_is_asked_for_by_its_id()
    {
        CommandResult result = await RunAsync("peers", "--node", Guid.AllBitsSet.ToString());
        result.Code.ShouldBe(ExitCode.Success, result.Error);
        (await RunAsync("peers", "--node", "x")).Error.ShouldContain("'x' is not the id of a node");
    }

    private static string Text(RecordedEvent recorded) =>
        $"{recorded.Id} {recorded.Epoch} {recorded.NodeSeq} {recorded.Time:O} {recorded.TraceParent} {System.Text.Encoding.UTF8.GetString(MeshJson.Serialize(recorded.Data))}";

    private Task<CommandResult> RunAsync(params string[] args) => CommandResult.RunAsync([.. args, "--data", _app.DataDirectory]);
}
