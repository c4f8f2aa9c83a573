using System.Runtime.Versioning;
using System.Text.RegularExpressions;
using EventMesh.Conformance;
using EventMesh.Events;
using EventMesh.Identity;
using EventMesh.Journal;
using EventMesh.Marten.Store;
using EventMesh.Marten.Store.Internal;
using EventMesh.Marten.Tests.Fixture;
using Npgsql;
using Shouldly;
using Xunit;

namespace EventMesh.Marten.Tests.Store;

/// <summary>Who connects to the database and to which one: passwords, TLS and roles, as docs/store.md has them.</summary>
[UnsupportedOSPlatform("windows")]
public sealed partial class CredentialTests(TlsServer server) : IClassFixture<TlsServer>, IDisposable
{
    private readonly NodeId _node = new(Guid.NewGuid());
    private readonly TempFolder _folder = new();

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    private string PasswordFile => Path.Combine(_folder.Path, "password");

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task A_password_file_and_verified_TLS_open_the_store_and_a_changed_password_needs_no_restart()
    {
        WritePassword(TlsServer.Password);
        await ExecuteAsync("drop role if exists changing; create role changing superuser login password 'before'");
        WritePassword("before");
        string connection = server.ConnectionString.Replace("Username=admin", "Username=changing", StringComparison.Ordinal);
        await using MartenEventStore store = await OpenAsync(connection, "password_file");

        await ExecuteAsync("alter role changing password 'after'");
        MeshException refused = await Should.ThrowAsync<MeshException>(() => store.GetPositionAsync(_node, Cancellation));
        WritePassword("after\n");

        (await store.GetPositionAsync(_node, Cancellation)).NodeSeq.ShouldBe(0);
        refused.Error.ShouldBe(MeshError.StoreUnavailable);
        refused.ToString().ShouldNotContain("'before'");
        await using var check = new NpgsqlConnection(connection + ";Password=after");
        await check.OpenAsync(Cancellation);
        (await Sql.ScalarAsync<bool>(check, "select ssl from pg_stat_ssl where pid = pg_backend_pid()", Cancellation)).ShouldBeTrue();
    }

    [Fact]
    public async Task A_wrong_password_is_told_without_it()
    {
        WritePassword("not-the-password");

        MeshException exception = await Should.ThrowAsync<MeshException>(() => OpenAsync(server.ConnectionString, "mesh"));

        exception.Error.ShouldBe(MeshError.StoreUnavailable);
        exception.Message.ShouldContain("password authentication failed");
        exception.Message.ShouldContain("EventMesh:Store:PasswordFile");
        exception.ToString().ShouldNotContain("not-the-password");
    }

    [Fact]
    public async Task A_server_of_another_authority_or_name_is_refused()
    {
        WritePassword(TlsServer.Password);
        string otherRoot = server.ConnectionString.Replace(server.RootFile, server.OtherRootFile, StringComparison.Ordinal);
        string otherName = server.ConnectionString.Replace("Host=localhost", "Host=127.0.0.1", StringComparison.Ordinal);

        MeshException root = await Should.ThrowAsync<MeshException>(() => OpenAsync(otherRoot, "mesh"));
        MeshException name = await Should.ThrowAsync<MeshException>(() => OpenAsync(otherName, "mesh"));
        MeshException plain = await Should.ThrowAsync<MeshException>(() =>
            OpenAsync(server.ConnectionString.Replace("SslMode=VerifyFull", "SslMode=Disable", StringComparison.Ordinal), "mesh"));

        root.Error.ShouldBe(MeshError.StoreUnavailable);
        root.Message.ShouldContain("Root Certificate");
        name.Error.ShouldBe(MeshError.StoreUnavailable);
        name.Message.ShouldContain("name the host");
        plain.Message.ShouldContain("no encryption");
    }

    [Fact]
    public async Task A_password_file_that_others_can_read_or_that_is_not_there_is_refused()
    {
        await File.WriteAllTextAsync(PasswordFile, TlsServer.Password, Cancellation);
        File.SetUnixFileMode(PasswordFile, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.GroupRead);

        MeshException open = await Should.ThrowAsync<MeshException>(() => OpenAsync(server.ConnectionString, "mesh"));
        File.Delete(PasswordFile);
        MeshException missing = await Should.ThrowAsync<MeshException>(() => OpenAsync(server.ConnectionString, "mesh"));

        open.Error.ShouldBe(MeshError.InvalidConfiguration);
        open.Message.ShouldContain($"chmod 600 {PasswordFile}");
        missing.Error.ShouldBe(MeshError.InvalidConfiguration);
    }

    [Fact]
    public async Task A_node_runs_as_a_role_that_can_not_alter_the_schema()
    {
        WritePassword(TlsServer.Password);
        string docs = await File.ReadAllTextAsync(Path.Combine(AppContext.BaseDirectory, "Store", "store.md"), Cancellation);
        string[] blocks = [.. SqlBlock().Matches(docs).Select(match => match.Groups["sql"].Value)];
        blocks.Length.ShouldBe(2);
        await ExecuteAsync(blocks[0] + $"alter role mesh_owner password '{TlsServer.Password}'; alter role mesh_run password '{TlsServer.Password}'");
        string owner = server.ConnectionString.Replace("Username=admin", "Username=mesh_owner", StringComparison.Ordinal);
        string run = server.ConnectionString.Replace("Username=admin", "Username=mesh_run", StringComparison.Ordinal);

        // The run role alone: it says who can.
        MeshException tooEarly = await Should.ThrowAsync<MeshException>(() => OpenAsync(run, "mesh", autoMigrate: true));
        await using (StoreAdministration administration = await StoreAdministration.OpenAsync(
            Options(owner, "mesh"), null, "", TimeProvider.System, new TestLog(), Cancellation))
            await administration.MigrateAsync(Cancellation);
        await ExecuteAsync(blocks[1], "mesh_owner");
        await using MartenEventStore store = await OpenAsync(run, "mesh");
        await store.ClaimEpochAsync(_node, EventStoreSamples.Record(1, 1, EventStoreSamples.Started(_node))[0], Cancellation);
        await store.AppendAsync(_node, EventStoreSamples.Record(1, 2, [.. EventStoreSamples.EveryType(_node)]), Cancellation);
        await Eventually.FoldedAsync(store, _node);

        tooEarly.Error.ShouldBe(MeshError.StoreIncompatible);
        tooEarly.Message.ShouldContain("mesh store migrate");
        foreach (string statement in (string[])
            ["create table mesh.mine (a int)", "alter table mesh.mt_events add column mine int", "drop table mesh.node_log", "drop view mesh.peer_directory",
            "create schema mine", "truncate mesh.mt_events", "alter table mesh.mt_events owner to mesh_run"])
            (await Should.ThrowAsync<PostgresException>(() => ExecuteAsync(statement, "mesh_run"))).SqlState.ShouldBe(PostgresErrorCodes.InsufficientPrivilege, statement);
    }

    private void WritePassword(string content)
    {
        File.WriteAllText(PasswordFile, content);
        File.SetUnixFileMode(PasswordFile, UnixFileMode.UserRead | UnixFileMode.UserWrite);
    }

    private MeshStoreOptions Options(string connectionString, string schema) =>
        new() { ConnectionString = connectionString, Schema = schema, PasswordFile = PasswordFile };

    private async Task<MartenEventStore> OpenAsync(string connectionString, string schema, bool? autoMigrate = null)
    {
        MeshStoreOptions options = Options(connectionString, schema);
        options.AutoMigrate = autoMigrate ?? schema != "mesh";
        var store = new MartenEventStore(options, EventRegistry.Default, TimeProvider.System, new TestLog());
        try
        {
            await store.OpenAsync(_node, "", Cancellation);
            return store;
        }
        catch
        {
            await store.DisposeAsync();
            throw;
        }
    }

    private async Task ExecuteAsync(string sql, string user = "admin")
    {
        await using var connection = new NpgsqlConnection(
            server.ConnectionString.Replace("Username=admin", $"Username={user}", StringComparison.Ordinal) + $";Password={TlsServer.Password}");
        await connection.OpenAsync(Cancellation);
        await Sql.ExecuteAsync(connection, sql, Cancellation);
    }

    [GeneratedRegex("```sql\n(?<sql>.*?)```", RegexOptions.Singleline | RegexOptions.ExplicitCapture)]
    private static partial Regex SqlBlock();
}
