using System.Net;
using System.Net.Sockets;
using System.Text.Json;
using EventMesh.EndToEnd.Support;

namespace EventMesh.EndToEnd;

/// <summary>Each mistake: one message that names the cause, the right exit code, and no half-started node.</summary>
[Collection(nameof(OneAtATime))]
public sealed class BadInputTests : IAsyncLifetime
{
    private readonly TestFolder _folder = new();

    private string Data => _folder["data"];

    public async ValueTask InitializeAsync() => await MeshProgram.RequireAsync();

    public ValueTask DisposeAsync()
    {
        _folder.Dispose();
        return ValueTask.CompletedTask;
    }

    [Fact]
    public async Task A_port_in_use()
    {
        using UdpClient taken = new(new IPEndPoint(IPAddress.Loopback, 0));
        string address = taken.Client.LocalEndPoint!.ToString()!;
        await FailsAsync(4, [address], ["--listen", address]);
    }

    [Fact]
    public async Task An_address_of_another_machine() => await FailsAsync(4, ["192.0.2.1"], ["--listen", "192.0.2.1:4433"]);

    [Fact]
    public async Task A_data_directory_locked_by_another_node()
    {
        await using NodeProcess node = await NodeProcess.StartAsync(Data);
        MeshProgram.Outcome second = await MeshProgram.RunAsync("run", "--data", Data, "--listen", "127.0.0.1:0");
        second.Code.ShouldBe(5, second.Error);
        second.Error.ShouldContain(Data);
        OneMessage(second.Error);
        // The first one goes on.
        (await node.RunAsync("peers")).Code.ShouldBe(0);
    }

    [Theory]
    [InlineData("EventMesh__Limits__MaxPeers", "many")]
    [InlineData("EventMesh__Limits__MaxPeers", "0")]
    [InlineData("EventMesh__Transport__IdleTimeout", "soon")]
    [InlineData("EventMesh__Kind", "server")]
    [InlineData("EventMesh__Contacts__0", "no-port")]
    [InlineData("EventMesh__Transport__Provider", "carrier-pigeon")]
    [InlineData("EventMesh__Store__Schema", "DROP TABLE")]
    public async Task A_broken_configuration_value(string key, string value) =>
        await FailsAsync(2, [key["EventMesh__".Length..].Split("__")[^1] is var name && name != "0" ? name : "Contacts"], [], (key, value));

    [Fact]
    public async Task A_configuration_file_that_is_not_JSON()
    {
        string file = _folder["broken.json"];
        await File.WriteAllTextAsync(file, "{ \"EventMesh\": ");
        await FailsAsync(2, [file], ["--config", file]);
    }

    [Fact]
    public async Task A_missing_native_library() => await FailsAsync(6, ["libmsquic", "install"], [], ("EventMesh__Transport__Provider", "msquic"));

    [Fact]
    public async Task PostgreSQL_programs_that_are_not_there() =>
        await FailsAsync(7, ["/no/such/folder", "Install"], [], ("EventMesh__Store__PostgresBin", "/no/such/folder"));

    [Fact]
    public async Task A_PostgreSQL_that_does_not_start()
    {
        string bin = _folder["bin"];
        Directory.CreateDirectory(bin);
        foreach (string name in new[] { "initdb", "postgres" })
        {
            string file = Path.Combine(bin, name);
            await File.WriteAllTextAsync(file, "#!/bin/sh\n[ \"$1\" = --version ] && { echo 'postgres (PostgreSQL) 15.1'; exit 0; }\necho 'out of order' >&2\nexit 3\n");
            File.SetUnixFileMode(file, (UnixFileMode)0b111_101_101);
        }
        File.SetUnixFileMode(_folder.Path, (UnixFileMode)0b111_101_101);
        await FailsAsync(7, ["initdb", "out of order"], [], ("EventMesh__Store__PostgresBin", bin));
    }

    [Fact]
    public async Task A_server_that_does_not_answer() =>
        await FailsAsync(7, ["127.0.0.1"], ["--store", "Host=127.0.0.1;Port=1;Username=nobody;Database=none;Timeout=3"]);

    [Fact]
    public async Task A_connection_string_that_is_none() => await FailsAsync([2, 7], ["onnection"], ["--store", "nonsense"]);

    [Fact]
    public async Task A_plugin_that_does_not_load()
    {
        string plugin = Path.Combine(_folder["plugins"], "Broken");
        Directory.CreateDirectory(plugin);
        await File.WriteAllTextAsync(Path.Combine(plugin, "Broken.dll"), "not an assembly");
        await FailsAsync(8, ["Broken"], ["--plugins", _folder["plugins"]]);
    }

    [Fact]
    public async Task A_plugin_folder_that_is_not_there() => await FailsAsync(8, [_folder["nowhere"]], ["--plugins", _folder["nowhere"]]);

    [Fact]
    public async Task An_unreachable_contact_is_reported_and_retried_while_the_node_runs()
    {
        using UdpClient silent = new(new IPEndPoint(IPAddress.Loopback, 0));
        await using NodeProcess node = await NodeProcess.StartAsync(Data, "--contact", silent.Client.LocalEndPoint!.ToString()!);
        JsonElement failed = await node.WaitForEventAsync("node.bootstrap-failed.v1");
        failed.GetProperty("data").GetProperty("candidates").GetInt32().ShouldBe(1);
        (await node.RunAsync("peers")).Json.GetProperty("peers").GetArrayLength().ShouldBe(0);
    }

    private Task FailsAsync(int code, string[] names, string[] arguments, params (string Key, string Value)[] environment) =>
        FailsAsync([code], names, arguments, environment);

    private async Task FailsAsync(int[] codes, string[] names, string[] arguments, params (string Key, string Value)[] environment)
    {
        string[] listen = arguments.Contains("--listen") ? [] : ["--listen", "127.0.0.1:0"];
        MeshProgram.Outcome run = await MeshProgram.RunAsync(
            ["run", "--data", Data, .. listen, .. arguments], environment.ToDictionary(e => e.Key, e => e.Value));
        codes.ShouldContain(run.Code, run.Error);
        run.Output.ShouldBeEmpty();
        foreach (string name in names) run.Error.ShouldContain(name);
        OneMessage(run.Error);
        File.Exists(Path.Combine(Data, "mesh.sock")).ShouldBeFalse();
        _folder.Servers().ShouldBeEmpty();

        // A second attempt is not hindered by the first: nothing holds the directory.
        MeshProgram.Outcome json = await MeshProgram.RunAsync(
            ["run", "--data", Data, "--output", "json", .. listen, .. arguments], environment.ToDictionary(e => e.Key, e => e.Value));
        json.Code.ShouldBe(run.Code, json.Error);
        string problem = json.Error.Split('\n', StringSplitOptions.RemoveEmptyEntries)[^1];
        JsonSerializer.Deserialize<JsonElement>(problem).GetProperty("exitCode").GetInt32().ShouldBe(run.Code);
    }

    private static void OneMessage(string error)
    {
        error.Split('\n').Count(line => line.StartsWith("mesh: ", StringComparison.Ordinal)).ShouldBe(1, error);
        error.ShouldNotContain("   at ");
        error.ShouldNotContain("Exception");
    }
}
