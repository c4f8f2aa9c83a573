using System.Text.Json;
using EventMesh.Events;
using EventMesh.Host.Errors;
using EventMesh.Host.Tests.Support;
using EventMesh.Tests.Common.Hosting;

namespace EventMesh.Host.Tests.Commands;

public sealed class CacheCommandTests : IAsyncLifetime
{
    private ControlApp _app = null!;

    public async ValueTask InitializeAsync() => _app = await ControlApp.StartAsync();

    public async ValueTask DisposeAsync() => await _app.DisposeAsync();

    [Theory]
    [InlineData]
    [InlineData("list")]
    public async Task The_cache_is_listed_with_and_without_the_word(params string[] args)
    {
        Add(1);
        CommandResult result = await RunAsync(args);
        result.Code.ShouldBe(ExitCode.Success);
        result.Output.ShouldContain(FakeMesh.PeerOf(1).ToShortString());
        result.Output.ShouldContain("probed");
    }

    [Fact]
    public async Task An_address_is_dialled_and_cached()
    {
        _app.Mesh.OnConnect = _ => FakeMesh.InfoOf(7);
        CommandResult result = await RunAsync("add", "127.0.0.1:4007");
        result.Code.ShouldBe(ExitCode.Success);
        result.Output.Trim().ShouldBe($"Cached {FakeMesh.PeerOf(7)} at 127.0.0.1:4007.");
        _app.Log.State.Cache.Entries.Keys.ShouldBe([FakeMesh.PeerOf(7)]);
    }

    [Fact]
    public async Task A_dial_that_fails_caches_nobody()
    {
        CommandResult result = await RunAsync("add", "127.0.0.1:4007");
        result.Code.ShouldBe(ExitCode.PeerUnreachable);
        _app.Log.State.Cache.Entries.ShouldBeEmpty();
    }

    [Fact]
    public async Task A_node_is_removed_by_the_beginning_of_its_identity()
    {
        Add(1);
        Add(2);
        CommandResult result = await RunAsync("remove", FakeMesh.PeerOf(2).ToShortString());
        result.Code.ShouldBe(ExitCode.Success);
        _app.Log.State.Cache.Entries.Keys.ShouldBe([FakeMesh.PeerOf(1)]);
        CommandResult again = await RunAsync("remove", FakeMesh.PeerOf(2).ToString());
        again.Error.Trim().ShouldBe($"mesh: Node {FakeMesh.PeerOf(2).ToShortString()} is not in the cache. `mesh cache` lists those that are.");
        (await RunAsync("remove", "zzzz")).Code.ShouldNotBe(ExitCode.Success);
    }

    [Fact]
    public async Task What_one_node_exports_another_imports()
    {
        for (byte i = 1; i <= 3; i++) Add(i);
        string file = Path.Combine(_app.DataDirectory, "cache.json");
        (await RunAsync("export", "--file", file)).Output.Trim().ShouldBe($"Wrote 3 nodes to {file}.");
        await using ControlApp other = await ControlApp.StartAsync();
        other.Log.Record(new CacheEntryAdded(FakeMesh.PeerOf(3), FakeMesh.InfoOf(3).Endpoints, [1], ConnectionDirection.Inbound));
        CommandResult result = await CommandResult.RunAsync("cache", "import", file, "--output", "json", "--data", other.DataDirectory);
        result.Output.Trim().ShouldBe("""{"added":2,"known":1,"refused":0}""");
        other.Log.State.Cache.NewestFirst().Select(e => e.Peer).ShouldBe([FakeMesh.PeerOf(2), FakeMesh.PeerOf(1), FakeMesh.PeerOf(3)]);
        other.Log.State.Cache.Entries[FakeMesh.PeerOf(2)].Certificate.ShouldBe([2]);
    }

    [Fact]
    public async Task The_export_goes_to_standard_output_as_one_object()
    {
        Add(1);
        JsonElement file = JsonSerializer.Deserialize<JsonElement>((await RunAsync("export")).Output);
        file.GetProperty("format").GetString().ShouldBe("eventmesh-cache");
        file.GetProperty("entries")[0].GetProperty("endpoints")[0].GetString().ShouldBe("127.0.0.1:4001");
    }

    [Theory]
    [InlineData("{")]
    [InlineData("{}")]
    [InlineData("""{"format":"eventmesh-cache","version":2,"entries":[]}""")]
    [InlineData("""{"format":"eventmesh-cache","version":1,"entries":[{"peer":"x","endpoints":[],"certificate":""}]}""")]
    public async Task A_file_that_is_no_export_is_refused(string content)
    {
        string file = Path.Combine(_app.DataDirectory, "cache.json");
        await File.WriteAllTextAsync(file, content, TestContext.Current.CancellationToken);
        CommandResult result = await RunAsync("import", file);
        result.Code.ShouldBe(ExitCode.Usage);
        result.Error.ShouldStartWith("mesh: ");
    }

    private Task<CommandResult> RunAsync(params string[] args) => CommandResult.RunAsync(["cache", .. args, "--data", _app.DataDirectory]);

    private void Add(byte number) =>
        _app.Log.Record(new CacheEntryAdded(FakeMesh.PeerOf(number), FakeMesh.InfoOf(number).Endpoints, [number], ConnectionDirection.Outbound));
}
