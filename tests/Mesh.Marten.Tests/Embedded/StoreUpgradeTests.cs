using System.Runtime.Versioning;
using EventMesh.Conformance;
using EventMesh.Events;
using EventMesh.Identity;
using EventMesh.Journal;
using EventMesh.Marten.Audit;
using EventMesh.Marten.Embedded;
using EventMesh.Marten.Embedded.Internal;
using EventMesh.Marten.Store;
using EventMesh.Marten.Tests.Fixture;
using Microsoft.Extensions.Logging.Abstractions;
using Npgsql;
using Shouldly;
using Xunit;

namespace EventMesh.Marten.Tests.Embedded;

/// <summary>
/// <c>mesh store upgrade</c>. Where two versions of PostgreSQL are installed (or in the search path) it goes from one to the other; else all but the choice of versions runs from one
/// version to the same, which differs for the code in nothing but the name of the kept directory.
/// </summary>
[UnsupportedOSPlatform("windows")]
public sealed class StoreUpgradeTests : IAsyncLifetime
{
    private readonly NodeId _node = new(Guid.NewGuid());
    private readonly TempFolder _data = new();
    private PostgresBinaries _old = null!;
    private PostgresBinaries _target = null!;

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    private PrivatePostgresLocation Location => PrivatePostgres.Locate(_node, _data.Path);

    public async ValueTask InitializeAsync()
    {
        IReadOnlyList<PostgresBinaries> found = await PostgresBinaries.FindAllAsync([], Cancellation);
        if (found.Count == 0)
            Prerequisites.Missing("The package postgresql is not installed.");
        _old = found.MinBy(binaries => binaries.Major)!;
        _target = found.MaxBy(binaries => binaries.Major)!;
    }

    public async ValueTask DisposeAsync()
    {
        await PrivatePostgres.RemoveAsync(_node, _data.Path, CancellationToken.None);
        _data.Dispose();
    }

    [Fact]
    public async Task The_new_directory_has_the_log_link_by_link_and_all_else_and_the_old_one_is_kept()
    {
        LogHead head = await FillAsync(_old);
        await ExecuteAsync(_old, "create role reader; create schema mine; create table mine.t as select 42 as v; grant select on mine.t to reader; create database other");

        StoreUpgrade upgrade = await UpgradeAsync();

        upgrade.From.ShouldBe(_old.Major);
        upgrade.To.ShouldBe(_target.Major);
        upgrade.Logs.ShouldBe(1);
        upgrade.Events.ShouldBe(head.Place);
        upgrade.Findings.ShouldBe(0);
        PostgresBinaries.ReadVersion(Location.DataDirectory).ShouldBe(_target.Major);
        PostgresBinaries.ReadVersion(upgrade.Kept!).ShouldBe(_old.Major);
        upgrade.Kept.ShouldBe($"{Location.DataDirectory}.{_old.Major}");
        Directory.Exists(ClusterSwitch.New(Location).Directory).ShouldBeFalse();
        Directory.GetFiles(Location.SocketDirectory).ShouldBeEmpty();
        (await ExecuteAsync(_target, "select has_table_privilege('reader', 'mine.t', 'select') and exists (select from mine.t where v = 42) and exists (select from pg_database where datname = 'other')"))
            .ShouldBe(true);
        await GoOnAsync(_target, head);
    }

    [Fact]
    public async Task The_command_finds_the_versions_by_itself_or_has_nothing_to_do()
    {
        LogHead head = await FillAsync(_old);

        StoreUpgrade upgrade = await CommandAsync();

        upgrade.From.ShouldBe(_old.Major);
        upgrade.To.ShouldBe(_target.Major);
        (upgrade.Kept is null).ShouldBe(_old.Major == _target.Major);
        (await CommandAsync()).Kept.ShouldBeNull();
        await GoOnAsync(_target, head);
    }

    [Theory]
    [InlineData("Copied")]
    [InlineData("Noted")]
    [InlineData("OldMoved")]
    [InlineData("NewMoved")]
    public async Task Killed_at_any_step_it_leaves_a_directory_that_a_start_or_the_next_attempt_works_with(string name)
    {
        UpgradeStep step = Enum.Parse<UpgradeStep>(name);
        LogHead head = await FillAsync(_old);
        await ChildUpgrade.RunAsync(_node, _data.Path, _old, _target, step, Cancellation);
        bool isSwitched = step >= UpgradeStep.OldMoved;

        if (step is UpgradeStep.Noted or UpgradeStep.OldMoved)
        {
            // The node starts before anybody runs the command again.
            await GoOnAsync(isSwitched ? _target : _old, head);
            Directory.Exists(ClusterSwitch.New(Location).Directory).ShouldBeFalse("what a node has left behind is no copy any more");
            if (!isSwitched)
                (await UpgradeAsync()).Logs.ShouldBe(1);
            return;
        }
        string? settled;
        await using (PrivatePostgres.TakeLock(Location))
            settled = await ClusterSwitch.SettleLockedAsync(Location, TimeProvider.System, Cancellation);
        settled.ShouldBeNull();
        if (!isSwitched)
            (await UpgradeAsync()).Logs.ShouldBe(1);
        await GoOnAsync(_target, head);
    }

    [Fact]
    public async Task The_command_ends_a_switch_that_was_cut_short_and_tells_where_the_old_directory_is()
    {
        LogHead head = await FillAsync(_old);
        await ChildUpgrade.RunAsync(_node, _data.Path, _old, _target, UpgradeStep.OldMoved, Cancellation);
        Directory.Exists(Location.DataDirectory).ShouldBeFalse();

        StoreUpgrade upgrade = await CommandAsync();

        upgrade.From.ShouldBe(_old.Major);
        upgrade.To.ShouldBe(_target.Major);
        Directory.Exists(upgrade.Kept).ShouldBeTrue();
        await GoOnAsync(_target, head);
    }

    [Fact]
    public async Task While_another_process_has_the_server_nothing_is_done()
    {
        ClusterFiles.MakeFolders(Location);
        await using FileStream held = PrivatePostgres.TakeLock(Location);

        MeshException exception = await Should.ThrowAsync<MeshException>(CommandAsync);

        exception.Error.ShouldBe(MeshError.DataDirectoryLocked);
        exception.Message.ShouldContain("end it first");
    }

    [Fact]
    public async Task Without_room_on_the_disk_nothing_is_done()
    {
        await MakeFilesAsync();

        MeshException exception = await Should.ThrowAsync<MeshException>(() => UpgradeAsync(Upgrade(freeBytes: 10 << 20)));

        exception.Error.ShouldBe(MeshError.StoreUnavailable);
        exception.Message.ShouldContain("10 MiB free");
        exception.Message.ShouldContain("266 MiB");
        Directory.GetDirectories(Location.Directory).ShouldHaveSingleItem();
    }

    [Fact]
    public async Task A_target_without_its_client_programs_is_refused_with_the_package()
    {
        await MakeFilesAsync();

        MeshException exception = await Should.ThrowAsync<MeshException>(() => UpgradeAsync(Upgrade(), new PostgresBinaries(_data.Path, 99)));

        exception.Message.ShouldContain("'postgresql-client-99'");
        Directory.GetDirectories(Location.Directory).ShouldHaveSingleItem();
    }

    [Fact]
    public async Task A_dump_that_fails_leaves_the_old_directory_as_it_was_and_nothing_beside_it()
    {
        LogHead head = await FillAsync(_old);
        // A program that writes something and fails, as pg_dump does at a damaged page.
        foreach (string program in Directory.GetFiles(_target.Folder))
            File.CreateSymbolicLink(Path.Combine(_data.Path, Path.GetFileName(program)), program);
        string dump = Path.Combine(_data.Path, "pg_dump");
        File.Delete(dump);
        await File.WriteAllTextAsync(dump, "#!/bin/sh\necho 'select 1;'\necho 'a page is damaged' >&2\nexit 1\n", Cancellation);
        File.SetUnixFileMode(dump, (UnixFileMode)0b111_101_101);
        File.SetUnixFileMode(_data.Path, (UnixFileMode)0b111_101_101);

        MeshException exception = await Should.ThrowAsync<MeshException>(() => UpgradeAsync(Upgrade(), _target with { Folder = _data.Path }));

        exception.Error.ShouldBe(MeshError.StoreUnavailable);
        exception.Message.ShouldContain("a page is damaged");
        Directory.Exists(ClusterSwitch.New(Location).Directory).ShouldBeFalse();
        await GoOnAsync(_old, head);
    }

    [Fact]
    public async Task A_copy_that_lacks_an_event_is_not_put_in_place()
    {
        LogHead head = await FillAsync(_old);
        var options = new MeshStoreOptions();
        var upgrade = new ClusterUpgrade(Location, TimeProvider.System, NullLoggerFactory.Instance)
        {
            Reached = step => step == UpgradeStep.Copied
                ? ExecuteAsync(ClusterSwitch.New(Location).ConnectionString, $"delete from {options.Schema}.mt_events where (headers ->> 'seq')::bigint = 2")
                : Task.CompletedTask,
        };

        MeshException exception = await Should.ThrowAsync<MeshException>(() => UpgradeAsync(upgrade));

        exception.Error.ShouldBe(MeshError.StoreIncompatible);
        exception.Message.ShouldContain("not as the old one");
        await GoOnAsync(_old, head);
    }

    [Fact]
    public async Task A_store_that_is_no_private_server_is_left_alone()
    {
        (await Should.ThrowAsync<MeshException>(CommandAsync)).Message.ShouldContain("nothing to upgrade");
        (await Should.ThrowAsync<MeshException>(() => StoreAdministration.UpgradeAsync(
            new MeshStoreOptions { ConnectionString = "Host=db.example" }, _node, _data.Path, null, TimeProvider.System, NullLoggerFactory.Instance, Cancellation)))
            .Error.ShouldBe(MeshError.InvalidConfiguration);
    }

    private ClusterUpgrade Upgrade(long freeBytes = long.MaxValue) =>
        new(Location, TimeProvider.System, NullLoggerFactory.Instance) { FreeBytes = _ => freeBytes };

    private async Task<StoreUpgrade> UpgradeAsync(ClusterUpgrade? upgrade = null, PostgresBinaries? target = null)
    {
        await using FileStream fileLock = PrivatePostgres.TakeLock(Location);
        return await StoreAdministration.BringAsync(new MeshStoreOptions(), Location, _old, target ?? _target, upgrade ?? Upgrade(), Cancellation);
    }

    private Task<StoreUpgrade> CommandAsync() => StoreAdministration.UpgradeAsync(
        new MeshStoreOptions(), _node, _data.Path, null, TimeProvider.System, NullLoggerFactory.Instance, Cancellation);

    private Task<PrivatePostgres> StartAsync(PostgresBinaries binaries) =>
        PrivatePostgres.StartAsync(_node, _data.Path, binaries.Folder, TimeProvider.System, NullLoggerFactory.Instance, Cancellation);

    /// <summary>What an upgrade looks at before it starts a server: the cluster's version and size, its write-ahead log left out.</summary>
    private async Task MakeFilesAsync()
    {
        ClusterFiles.MakeFolders(Location);
        Directory.CreateDirectory(Path.Combine(Location.DataDirectory, "pg_wal"));
        await File.WriteAllTextAsync(Path.Combine(Location.DataDirectory, "PG_VERSION"), $"{_old.Major}\n", Cancellation);
        foreach (string file in new[] { "base", "pg_wal/0" })
        {
            await using FileStream content = File.Create(Path.Combine(Location.DataDirectory, file));
            content.SetLength(10 << 20);
        }
    }

    private MartenEventStore Store(PostgresBinaries binaries) =>
        new(new MeshStoreOptions { PostgresBin = binaries.Folder }, EventRegistry.Default, TimeProvider.System, NullLoggerFactory.Instance);

    /// <summary>A log with an event of every type, a chain, and what the projections have of it.</summary>
    private async Task<LogHead> FillAsync(PostgresBinaries binaries)
    {
        await using MartenEventStore store = Store(binaries);
        await store.OpenAsync(_node, _data.Path, Cancellation);
        await store.ClaimEpochAsync(_node, EventStoreSamples.Record(1, 1, EventStoreSamples.Started(_node))[0], Cancellation);
        await store.AppendAsync(
            _node, EventStoreSamples.Record(1, 2, Enumerable.Range(1, 50).Select(i => new PeerTrusted(EventStoreSamples.Peer(i), "the test", $"note\\t{i}\n\"ü\""))), Cancellation);
        return (await store.GetHeadAsync(_node, Cancellation))!;
    }

    /// <summary>The node starts with the programs, finds its log as it was, and writes on.</summary>
    private async Task GoOnAsync(PostgresBinaries binaries, LogHead head)
    {
        await using MartenEventStore store = Store(binaries);
        await store.OpenAsync(_node, _data.Path, Cancellation);
        LogPosition end = await store.GetPositionAsync(_node, Cancellation);
        end.NodeSeq.ShouldBe(head.Place);
        (await store.GetHeadAsync(_node, Cancellation))!.Hash.ShouldBe(head.Hash);
        await store.ClaimEpochAsync(_node, EventStoreSamples.Record(end.Epoch + 1, end.NodeSeq + 1, EventStoreSamples.Started(_node))[0], Cancellation);
        AuditReport report = await store.Audit.VerifyAsync(_node, null, Cancellation);
        report.Findings.ShouldBeEmpty();
        report.LastPlace.ShouldBe(head.Place + 1);
    }

    private async Task<object?> ExecuteAsync(PostgresBinaries binaries, string sql)
    {
        await using PrivatePostgres postgres = await StartAsync(binaries);
        object? result = null;
        // Each on its own: a database is not made within a transaction.
        foreach (string statement in sql.Split(';'))
            result = await ExecuteAsync(postgres.ConnectionString, statement);
        return result;
    }

    private static async Task<object?> ExecuteAsync(string connectionString, string sql)
    {
        await using var connection = new NpgsqlConnection(connectionString + ";Pooling=false");
        await connection.OpenAsync(Cancellation);
        await using var command = new NpgsqlCommand(sql, connection);
        return await command.ExecuteScalarAsync(Cancellation);
    }
}
