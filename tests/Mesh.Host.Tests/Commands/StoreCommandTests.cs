using System.Text.Json;
using EventMesh.Host.Commands;
using EventMesh.Host.Errors;
using EventMesh.Host.Hosting;
using EventMesh.Host.Tests.Support;
using EventMesh.Identity;
using EventMesh.Marten.Embedded;
using EventMesh.Marten.Store;

namespace EventMesh.Host.Tests.Commands;

/// <summary><c>mesh store</c>, on the private server of a data directory whose node does not run.</summary>
public sealed class StoreCommandTests : IAsyncDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("mesh-store-").FullName;

    public async ValueTask DisposeAsync()
    {
        if (NodeIdFile.Read(_folder) is { } node) await PrivatePostgres.RemoveAsync(node, _folder, CancellationToken.None);
        Directory.Delete(_folder, recursive: true);
    }

    [Fact]
    public async Task The_schema_is_checked_made_and_checked_again_without_a_node()
    {
        await MakeNodeAsync();

        CommandResult before = await RunAsync("check");
        CommandResult made = await RunAsync("migrate");
        CommandResult again = await RunAsync("migrate", "--output", "json");
        CommandResult after = await RunAsync("check", "--output", "json");

        before.Code.ShouldBe(ExitCode.Store, before.Error);
        before.Output.ShouldContain("has version 0");
        before.Output.ShouldContain("mesh store migrate");
        made.Code.ShouldBe(ExitCode.Success, made.Error);
        made.Output.ShouldContain("Made the schema 'mesh'");
        JsonElement version = JsonElement.Parse(again.Output);
        version.GetProperty("from").GetInt32().ShouldBe(version.GetProperty("to").GetInt32());
        after.Code.ShouldBe(ExitCode.Success, after.Error);
        JsonElement check = JsonElement.Parse(after.Output);
        check.GetProperty("isCurrent").GetBoolean().ShouldBeTrue();
        check.GetProperty("differences").GetArrayLength().ShouldBe(0);
    }

    [Fact]
    public async Task A_backup_is_written_once_and_restored_into_an_empty_store()
    {
        await MakeNodeAsync();
        (await RunAsync("migrate")).Code.ShouldBe(ExitCode.Success);
        string file = Path.Combine(_folder, "backup.zip");

        CommandResult backup = await RunAsync("backup", file, "--output", "json");
        CommandResult again = await RunAsync("backup", file);
        CommandResult restored = await RunAsync("restore", file, "--output", "json");

        backup.Code.ShouldBe(ExitCode.Success, backup.Error);
        JsonElement.Parse(backup.Output).GetProperty("bytes").GetInt64().ShouldBe(new FileInfo(file).Length);
        again.Code.ShouldBe(ExitCode.Usage);
        restored.Code.ShouldBe(ExitCode.Success, restored.Error);
        JsonElement.Parse(restored.Output).GetProperty("events").GetInt64().ShouldBe(0);
    }

    [Fact]
    public async Task An_upgrade_says_that_there_is_nothing_newer_and_where_there_is_nothing_at_all()
    {
        await MakeNodeAsync();
        CommandResult nothing = await RunAsync("upgrade");
        (await RunAsync("migrate")).Code.ShouldBe(ExitCode.Success);

        CommandResult upgraded = await RunAsync("upgrade", "--output", "json");
        CommandResult external = await RunAsync("upgrade", "--store", "Host=db.example");

        nothing.Code.ShouldBe(ExitCode.Usage, nothing.Error);
        nothing.Error.ShouldContain("nothing to upgrade");
        upgraded.Code.ShouldBe(ExitCode.Success, upgraded.Error);
        JsonElement upgrade = JsonElement.Parse(upgraded.Output);
        // A new directory is of the newest version.
        upgrade.GetProperty("from").GetInt32().ShouldBe(upgrade.GetProperty("to").GetInt32());
        upgrade.GetProperty("kept").ValueKind.ShouldBe(JsonValueKind.Null);
        external.Code.ShouldBe(ExitCode.Usage);
        external.Error.ShouldContain("PostgreSQL's own means");
    }

    [Fact]
    public void An_upgrade_tells_what_was_proven_and_where_the_old_directory_is()
    {
        string text = StoreCommand.Describe(new StoreUpgrade("/data", 15, 17, "/data.15", 1, 51, 2));

        text.ShouldContain("PostgreSQL 17 now, not 15");
        text.ShouldContain("/data.15");
        text.ShouldContain("51 places");
        text.ShouldContain("2 things were wrong");
        StoreCommand.Describe(new StoreUpgrade("/data", 17, 17, null, 0, 0, 0)).ShouldContain("nothing to do");
    }

    [Fact]
    public async Task A_script_needs_no_server()
    {
        CommandResult script = await CommandResult.RunAsync("store", "script", "--store", "Host=127.0.0.1;Port=1;Username=nobody", "--data", _folder);

        script.Code.ShouldBe(ExitCode.Success, script.Error);
        script.Output.ShouldContain("create table if not exists mesh.node_log");
        script.Output.ShouldContain("CREATE TABLE IF NOT EXISTS mesh.mt_events");
        script.Output.TrimEnd().ShouldEndWith("commit;");
    }

    [Fact]
    public async Task A_server_that_is_not_there_is_named_without_its_password()
    {
        CommandResult check = await CommandResult.RunAsync(
            "store", "check", "--store", "Host=127.0.0.1;Port=1;Username=somebody;Password=secret-word;Timeout=3", "--data", _folder, "--verbose");

        check.Code.ShouldBe(ExitCode.Store);
        check.Error.ShouldContain("127.0.0.1:1");
        check.Error.ShouldNotContain("secret-word");
    }

    [Fact]
    public async Task Where_no_node_has_run_a_store_has_to_be_named()
    {
        CommandResult check = await RunAsync("check");

        check.Code.ShouldBe(ExitCode.Store);
        check.Error.ShouldContain("--store");
    }

    private async Task MakeNodeAsync()
    {
        if (!Directory.Exists("/usr/lib/postgresql")) Assert.Skip("The package postgresql is not installed.");
        await File.WriteAllTextAsync(Path.Combine(_folder, "node-id"), new NodeId(Guid.NewGuid()).ToString(), TestContext.Current.CancellationToken);
    }

    private Task<CommandResult> RunAsync(string command, params string[] more) => CommandResult.RunAsync(["store", command, "--data", _folder, .. more]);
}
