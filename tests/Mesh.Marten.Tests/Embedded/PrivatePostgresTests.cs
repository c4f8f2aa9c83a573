using System.Diagnostics;
using System.Globalization;
using System.Runtime.Versioning;
using EventMesh.Conformance;
using EventMesh.Events;
using EventMesh.Identity;
using EventMesh.Journal;
using EventMesh.Marten.Embedded;
using EventMesh.Marten.Embedded.Internal;
using EventMesh.Marten.Store;
using EventMesh.Marten.Tests.Fixture;
using Microsoft.Extensions.Logging.Abstractions;
using Npgsql;
using Shouldly;
using Xunit;

namespace EventMesh.Marten.Tests.Embedded;

/// <summary>The private server: its life, its neighbours and what can be wrong with its files.</summary>
[UnsupportedOSPlatform("windows")]
public sealed class PrivatePostgresTests : IAsyncLifetime
{
    private readonly NodeId _node = new(Guid.NewGuid());
    private readonly TempFolder _data = new();

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    private PrivatePostgresLocation Location => PrivatePostgres.Locate(_node, _data.Path);

    public ValueTask InitializeAsync()
    {
        if (!Directory.Exists("/usr/lib/postgresql"))
            Prerequisites.Missing("The package postgresql is not installed.");
        return ValueTask.CompletedTask;
    }

    public async ValueTask DisposeAsync()
    {
        await PrivatePostgres.RemoveAsync(_node, _data.Path, CancellationToken.None);
        _data.Dispose();
    }

    [Fact]
    public async Task What_one_run_wrote_the_next_one_reads()
    {
        await using (PrivatePostgres first = await StartAsync())
            await ExecuteAsync(first, "create table t as select 42 as v");
        File.Exists(PostmasterFile.PathIn(Location.DataDirectory)).ShouldBeFalse("the server should have ended in order");

        await using PrivatePostgres second = await StartAsync();

        (await ExecuteAsync(second, "select v from t")).ShouldBe(42);
        (await ExecuteAsync(second, "show listen_addresses")).ShouldBe("");
        (await ExecuteAsync(second, "show fsync")).ShouldBe("on");
    }

    [Fact]
    public async Task A_server_that_was_built_without_LZ4_does_without()
    {
        PostgresBinaries real = (await PostgresBinaries.FindAllAsync([], Cancellation))[0];
        using var folder = new TempFolder();
        string postgres = Path.Combine(folder.Path, "postgres");
        await File.WriteAllTextAsync(
            postgres,
            $"""
            #!/bin/sh
            case "$*" in *wal_compression=lz4*) echo 'FATAL:  invalid value for parameter "wal_compression": "lz4"' >&2; exit 1;; esac
            exec {real.Folder}/postgres "$@"

            """,
            Cancellation);
        File.CreateSymbolicLink(Path.Combine(folder.Path, "initdb"), Path.Combine(real.Folder, "initdb"));
        const UnixFileMode all = (UnixFileMode)0b111_101_101;
        File.SetUnixFileMode(folder.Path, all);
        File.SetUnixFileMode(postgres, all);

        await using (PrivatePostgres without = await StartAsync(folder.Path))
            ((string)(await ExecuteAsync(without, "show wal_compression"))!).ShouldBeOneOf("on", "pglz");

        await using PrivatePostgres with = await StartAsync();
        (await ExecuteAsync(with, "select case when 'lz4' = any(enumvals) then setting else 'lz4' end from pg_settings where name = 'wal_compression'")).ShouldBe("lz4");
    }

    [Fact]
    public async Task Nobody_else_can_connect()
    {
        await using PrivatePostgres postgres = await StartAsync();

        File.GetUnixFileMode(Location.SocketDirectory).ShouldBe(UnixFiles.OwnerOnly);
        File.GetUnixFileMode(Location.DataDirectory).ShouldBe(UnixFiles.OwnerOnly);
        (await File.ReadAllLinesAsync(Path.Combine(Location.Directory, "pg_hba.conf"), Cancellation)).ShouldHaveSingleItem().ShouldBe("local all all peer map=eventmesh");
        if (!Environment.IsPrivilegedProcess)
            return;
        // With both opened to all, the kernel's word still keeps a third user out.
        File.SetUnixFileMode(Location.SocketDirectory, (UnixFileMode)0b111_101_101);
        File.SetUnixFileMode(Location.SocketDirectory + "/.s.PGSQL.5432", (UnixFileMode)0b111_111_111);
        var info = new ProcessStartInfo("psql", ["-h", Location.SocketDirectory, "-U", "eventmesh", "-c", "select 1", "postgres"])
        {
            UserName = "nobody",
            WorkingDirectory = "/",
            UseShellExecute = false,
            RedirectStandardError = true,
        };
        using Process psql = Process.Start(info)!;
        string errors = await psql.StandardError.ReadToEndAsync(Cancellation);
        await psql.WaitForExitAsync(Cancellation);
        psql.ExitCode.ShouldNotBe(0);
        errors.ShouldContain("Peer authentication failed", Case.Insensitive, errors);
    }

    [Fact]
    public async Task A_killed_node_leaves_no_server_and_its_next_start_finds_its_data()
    {
        int server;
        using (ChildNode child = await ChildNode.StartAsync(_node, _data.Path, Cancellation))
        {
            server = child.ServerId;
            IsRunning(server).ShouldBeTrue();
            await child.KillAsync(Cancellation);
        }

        // At once: the predecessor's server may still be writing its last checkpoint.
        await using PrivatePostgres postgres = await StartAsync();

        IsRunning(server).ShouldBeFalse();
        postgres.ProcessId.ShouldNotBe(server);
        (await ExecuteAsync(postgres, "select 1")).ShouldBe(1);
    }

    [Fact]
    public async Task A_killed_nodes_server_ends_without_anybodys_help()
    {
        using ChildNode child = await ChildNode.StartAsync(_node, _data.Path, Cancellation);

        await child.KillAsync(Cancellation);

        await Eventually.IsTrueAsync(() => !IsRunning(child.ServerId));
    }

    [Fact]
    public async Task A_user_that_is_not_root_has_it_all_in_the_data_directory()
    {
        const string User = "nobody";
        if (!Environment.IsPrivilegedProcess || UnixAccount.Find(User) is not { } account)
        {
            Assert.Skip("Only root can become another user; the other tests have run as one.");
            return;
        }
        UnixFiles.Chown(_data.Path, account);
        using ChildNode child = await ChildNode.StartAsync(_node, _data.Path, Cancellation, User);

        (await File.ReadAllLinesAsync($"/proc/{child.ServerId}/status", Cancellation)).ShouldContain(
            line => line.StartsWith($"Uid:\t{account.UserId}\t", StringComparison.Ordinal));
        PrivatePostgresLocation location = Locations.ForUser(_node, _data.Path);
        File.Exists(location.SocketDirectory + "/.s.PGSQL.5432").ShouldBeTrue();
        File.GetUnixFileMode(location.Directory).ShouldBe(UnixFiles.OwnerOnly);
        Directory.Exists(Location.Directory).ShouldBeFalse();
        await child.KillAsync(Cancellation);
        await Eventually.IsTrueAsync(() => !IsRunning(child.ServerId));
    }

    [Fact]
    public async Task A_stale_pid_file_does_not_hinder_even_with_the_number_of_a_live_process()
    {
        await (await StartAsync()).DisposeAsync();
        using Process other = Process.Start(new ProcessStartInfo("sleep", ["60"]) { UserName = Location.User ?? "" })!;
        try
        {
            await File.WriteAllTextAsync(
                PostmasterFile.PathIn(Location.DataDirectory), $"{other.Id}\n{Location.DataDirectory}\n1\n5432\n{Location.SocketDirectory}\n\n1 1\nready\n", Cancellation);

            await using PrivatePostgres postgres = await StartAsync();

            (await ExecuteAsync(postgres, "select 1")).ShouldBe(1);
            other.HasExited.ShouldBeFalse("a process that is no server of ours is left alone");
        }
        finally
        {
            other.Kill();
        }
    }

    [Fact]
    public async Task Two_processes_do_not_share_one_directory()
    {
        using ChildNode child = await ChildNode.StartAsync(_node, _data.Path, Cancellation);

        MeshException exception = await Should.ThrowAsync<MeshException>(StartAsync);

        exception.Error.ShouldBe(MeshError.DataDirectoryLocked);
        IsRunning(child.ServerId).ShouldBeTrue("the other's server is left alone");
        await child.KillAsync(Cancellation);
    }

    [Fact]
    public async Task A_cluster_of_another_version_is_refused_and_left_as_it_is()
    {
        Directory.CreateDirectory(Location.DataDirectory);
        string file = Path.Combine(Location.DataDirectory, "PG_VERSION");
        await File.WriteAllTextAsync(file, "9\n", Cancellation);

        MeshException exception = await Should.ThrowAsync<MeshException>(StartAsync);

        exception.Error.ShouldBe(MeshError.StoreIncompatible);
        exception.Message.ShouldContain("PostgreSQL 9");
        exception.Message.ShouldContain("postgresql-9");
        exception.Message.ShouldContain("mesh store upgrade");
        (await File.ReadAllTextAsync(file, Cancellation)).ShouldBe("9\n");
    }

    [Fact]
    public async Task Missing_programs_are_reported_with_the_package_to_install()
    {
        MeshException exception = await Should.ThrowAsync<MeshException>(() => PrivatePostgres.StartAsync(
            _node, _data.Path, _data.Path, TimeProvider.System, NullLoggerFactory.Instance, Cancellation));

        exception.Error.ShouldBe(MeshError.StoreUnavailable);
        exception.Message.ShouldContain("'postgresql'");
    }

    [Fact]
    public async Task A_server_that_does_not_start_is_reported_with_its_last_words()
    {
        await (await StartAsync()).DisposeAsync();
        await File.AppendAllTextAsync(Path.Combine(Location.DataDirectory, "postgresql.conf"), "\nno_such_setting = 1\n", Cancellation);

        MeshException exception = await Should.ThrowAsync<MeshException>(StartAsync);

        exception.Error.ShouldBe(MeshError.StoreUnavailable);
        exception.Message.ShouldContain("no_such_setting");
        exception.Message.ShouldContain(Location.LogFile);
        (await File.ReadAllTextAsync(Location.LogFile, Cancellation)).ShouldContain("no_such_setting");
    }

    [Fact]
    public async Task A_cluster_that_was_cut_short_in_the_making_is_made_anew()
    {
        ClusterFiles.MakeFolders(Location);
        Directory.CreateDirectory(Location.DataDirectory + ".new/base");
        await File.WriteAllTextAsync(Location.DataDirectory + ".new/PG_VERSION", "15\n", Cancellation);

        await using PrivatePostgres postgres = await StartAsync();

        (await ExecuteAsync(postgres, "select 1")).ShouldBe(1);
    }

    [Fact]
    public async Task Removing_leaves_nothing()
    {
        using (ChildNode child = await ChildNode.StartAsync(_node, _data.Path, Cancellation))
        {
            (await Should.ThrowAsync<MeshException>(() => PrivatePostgres.RemoveAsync(_node, _data.Path, Cancellation))).Error
                .ShouldBe(MeshError.DataDirectoryLocked);
            await child.KillAsync(Cancellation);
        }

        await PrivatePostgres.RemoveAsync(_node, _data.Path, Cancellation);

        Directory.Exists(Location.Directory).ShouldBeFalse();
        Directory.Exists(Location.SocketDirectory).ShouldBeFalse();
        await PrivatePostgres.RemoveAsync(_node, _data.Path, Cancellation);
    }

    [Theory]
    [InlineData(10)]
    [InlineData(63)]
    [InlineData(64)]
    [InlineData(65)]
    [InlineData(200)]
    public void The_path_of_the_socket_never_grows_too_long(int length)
    {
        string data = "/" + new string('ü', (length - 1) / 2) + (length % 2 == 0 ? "x" : "");

        PrivatePostgresLocation location = Locations.ForUser(_node, data);

        System.Text.Encoding.UTF8.GetByteCount(location.SocketDirectory + "/.s.PGSQL.5432").ShouldBeLessThanOrEqualTo(Locations.MaxSocketPath);
        location.Directory.ShouldBe(data + "/postgres");
        Locations.ForUser(_node, data).ShouldBe(location, "the same at every start");
        if (length > 100)
            Locations.ForUser(_node, data + "x").SocketDirectory.ShouldNotBe(location.SocketDirectory);
    }

    [Fact]
    public async Task A_store_whose_server_was_killed_is_unavailable_and_works_again_after_its_restart()
    {
        await using var store = new MartenEventStore(new MeshStoreOptions(), EventRegistry.Default, TimeProvider.System, NullLoggerFactory.Instance);
        await store.OpenAsync(_node, _data.Path, Cancellation);
        await store.ClaimEpochAsync(_node, EventStoreSamples.Record(1, 1, EventStoreSamples.Started(_node))[0], Cancellation);
        int server = store.PrivateServer!.ProcessId;

        Signal("KILL", server);
        RecordedEvent[] batch = [];
        // A backend may commit a few more before it notices that its parent is gone.
        MeshException exception = await Should.ThrowAsync<MeshException>(async () =>
        {
            for (int seq = 2; seq < 1_000; seq++)
            {
                batch = EventStoreSamples.Record(1, seq, new NodeStopped("x"));
                await store.AppendAsync(_node, batch, Cancellation);
            }
        });
        exception.Error.ShouldBe(MeshError.StoreUnavailable);
        exception.IsTransient.ShouldBeTrue();

        await Eventually.IsTrueAsync(async _ =>
        {
            try
            {
                if ((await store.FindAsync(_node, [batch[0].Id], Cancellation)).Count == 0)
                    await store.AppendAsync(_node, batch, Cancellation);
                return true;
            }
            catch (MeshException e)
            {
                e.Error.ShouldBe(MeshError.StoreUnavailable);
                return false;
            }
        });
        store.PrivateServer!.ProcessId.ShouldNotBe(server);
        long last = batch[0].NodeSeq;
        (await store.GetPositionAsync(_node, Cancellation)).NodeSeq.ShouldBe(last);
        await store.AppendAsync(
            _node, EventStoreSamples.Record(1, last + 1, new PeerJoined(EventStoreSamples.Peer(1), Guid.NewGuid(), PeerKind.Node, [], "after")), Cancellation);
        await Eventually.IsTrueAsync(async _ => (await store.Queries.GetPeersAsync(_node, null, Cancellation)).Count == 1);
    }

    [Fact]
    public async Task A_store_opens_on_a_new_and_on_an_existing_directory()
    {
        for (int epoch = 1; epoch <= 2; epoch++)
        {
            await using var store = new MartenEventStore(new MeshStoreOptions(), EventRegistry.Default, TimeProvider.System, NullLoggerFactory.Instance);
            await store.OpenAsync(_node, _data.Path, Cancellation);
            (await store.GetPositionAsync(_node, Cancellation)).Epoch.ShouldBe(epoch - 1);
            await store.ClaimEpochAsync(_node, EventStoreSamples.Record(epoch, epoch, EventStoreSamples.Started(_node))[0], Cancellation);
        }
    }

    [Fact]
    public async Task A_server_whose_socket_was_removed_is_started_again()
    {
        await using PrivatePostgres postgres = await StartAsync();
        await ExecuteAsync(postgres, "create table t as select 42 as v");
        int server = postgres.ProcessId;

        Directory.Delete(Location.SocketDirectory, recursive: true);

        await Eventually.IsTrueAsync(() => postgres.ProcessId != server && File.Exists(Location.SocketFile));
        await Eventually.IsTrueAsync(async _ =>
        {
            try
            {
                return (await ExecuteAsync(postgres, "select v from t")) is 42;
            }
            catch (NpgsqlException)
            {
                return false;
            }
        });
        File.GetUnixFileMode(Location.SocketDirectory).ShouldBe(UnixFiles.OwnerOnly);
    }

    private Task<PrivatePostgres> StartAsync() => StartAsync(postgresBin: null);

    private Task<PrivatePostgres> StartAsync(string? postgresBin) =>
        PrivatePostgres.StartAsync(_node, _data.Path, postgresBin, TimeProvider.System, NullLoggerFactory.Instance, Cancellation);

    private static async Task<object?> ExecuteAsync(PrivatePostgres postgres, string sql)
    {
        await using var connection = new NpgsqlConnection(postgres.ConnectionString + ";Pooling=false");
        await connection.OpenAsync(Cancellation);
        await using var command = new NpgsqlCommand(sql, connection);
        return await command.ExecuteScalarAsync(Cancellation);
    }

    private static bool IsRunning(int process) =>
        Directory.Exists($"/proc/{process}") && !File.ReadAllText($"/proc/{process}/status").Contains("State:\tZ", StringComparison.Ordinal);

    private static void Signal(string name, int process)
    {
        using Process kill = Process.Start("kill", ["-" + name, process.ToString(CultureInfo.InvariantCulture)]);
        kill.WaitForExit();
    }
}
