using System.Text.Json;
using EventMesh.Conformance;
using EventMesh.Events;
using EventMesh.Identity;
using EventMesh.Journal;
using EventMesh.Marten.Audit;
using EventMesh.Marten.Embedded;
using EventMesh.Marten.Store;
using EventMesh.Marten.Tests.Fixture;
using EventMesh.Node;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;
using Npgsql;
using Shouldly;
using Xunit;

namespace EventMesh.Marten.Tests.Embedded;

/// <summary>
/// The disk of the private server is full, then that of the spool too: the journal says so, nothing that was acknowledged is lost, and once there is room all goes on
/// without a restart.
/// </summary>
public sealed class FullDiskTests : IAsyncLifetime
{
    private static readonly TimeSpan Limit = TimeSpan.FromMinutes(2);
    private readonly NodeId _node = new(Guid.NewGuid());
    private readonly TempFolder _data = new();
    private readonly List<RecordedEvent> _recorded = [];
    private readonly List<RecordedEvent> _acknowledged = [];
    private SmallDisk? _database;
    private SmallDisk? _spool;
    private MartenEventStore? _store;
    private EventJournal? _journal;

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    private PrivatePostgresLocation Location => PrivatePostgres.Locate(_node, _data.Path);

    private EventJournal Journal => _journal!;

    public ValueTask InitializeAsync()
    {
        if (!Directory.Exists("/usr/lib/postgresql"))
            Prerequisites.Missing("The package postgresql is not installed.");
        _database = SmallDisk.Mount(Location.Directory, 160);
        return ValueTask.CompletedTask;
    }

    public async ValueTask DisposeAsync()
    {
        _database?.Free();
        _spool?.Free();
        if (_journal is not null)
            await _journal.DisposeAsync();
        if (_store is not null)
            await _store.DisposeAsync();
        _database?.Dispose();
        _spool?.Dispose();
        await PrivatePostgres.RemoveAsync(_node, _data.Path, CancellationToken.None);
        _data.Dispose();
    }

    [Fact]
    public async Task Events_go_to_the_spool_while_the_servers_disk_is_full_and_to_the_log_when_there_is_room()
    {
        await StartAsync();

        _database!.Fill();
        await RecordUntilAsync(() => Journal.Status.State == JournalState.Spooling);
        await AcknowledgeAsync();
        JournalStatus full = Journal.Status;
        _database.Free();

        full.State.ShouldBe(JournalState.Spooling);
        full.Cause.ShouldBe(SpoolingCause.Unavailable);
        full.Spooled.ShouldBePositive();
        full.IsSpoolRefusing.ShouldBeFalse();
        await AssertAllThereAsync();
    }

    [Fact]
    public async Task A_server_that_can_not_even_write_its_own_journal_ends_and_comes_back_when_there_is_room()
    {
        await StartAsync();
        int server = _store!.PrivateServer!.ProcessId;

        _database!.Fill();
        // Each wants another segment of the write-ahead log: when there is none to use again, the server stops itself so as to lose nothing.
        await RecordUntilAsync(() => TrySwitchAsync());
        await AcknowledgeAsync();
        Journal.Status.State.ShouldBe(JournalState.Spooling);
        _database.Free();

        await AssertAllThereAsync();
        _store.PrivateServer!.ProcessId.ShouldNotBe(server);
    }

    [Fact]
    public async Task With_the_spools_disk_full_too_nothing_is_acknowledged_connections_are_counted_and_either_disk_lets_it_go_on()
    {
        _spool = SmallDisk.Mount(_data.Path, 8);
        await StartAsync();

        _database!.Fill();
        await RecordUntilAsync(() => Journal.Status.State == JournalState.Spooling);
        await AcknowledgeAsync();
        _spool.Fill();
        await RecordUntilAsync(() => Journal.Status.IsSpoolRefusing);
        JournalStatus full = Journal.Status;
        RecordedEvent trusted = Record(new PeerTrusted(EventStoreSamples.Peer(7), "a command", "the test"));
        RecordedEvent counted = Journal.Record(new InboundRefused("192.0.2.0/24", MeshError.Blocked, 1));
        Task answered = Journal.WhenDurableAsync(trusted, Cancellation);

        full.State.ShouldBe(JournalState.Spooling);
        full.IsSummarising.ShouldBeTrue();
        full.Queued.ShouldBePositive();
        answered.IsCompleted.ShouldBeFalse("nothing has taken the event");
        counted.NodeSeq.ShouldBe(0);

        _spool.Free();
        await answered.WaitAsync(Limit, Cancellation);
        Journal.Status.IsSpoolRefusing.ShouldBeFalse();
        Journal.Status.State.ShouldBe(JournalState.Spooling);
        await AcknowledgeAsync();
        _spool.Fill();
        await RecordUntilAsync(() => Journal.Status.IsSpoolRefusing);
        _database.Free();

        await AssertAllThereAsync();
        Journal.Status.IsSummarising.ShouldBeFalse();
    }

    private async Task StartAsync()
    {
        _store = new MartenEventStore(new MeshStoreOptions(), EventRegistry.Default, TimeProvider.System, NullLoggerFactory.Instance);
        await _store.OpenAsync(_node, _data.Path, Cancellation);
        _journal = new EventJournal(_store, new EventSpool(), TimeProvider.System, Options.Create(new MeshOptions()), NullLogger<EventJournal>.Instance);
        await _journal.OpenAsync(_node, _data.Path, _ => EventStoreSamples.Started(_node), Cancellation);
        Record(new PluginUnloaded("before"));
        await AcknowledgeAsync();
    }

    private RecordedEvent Record(IMeshEvent data)
    {
        RecordedEvent recorded = Journal.Record(data);
        _recorded.Add(recorded);
        return recorded;
    }

    private Task RecordUntilAsync(Func<bool> condition) => RecordUntilAsync(() => Task.FromResult(condition()));

    // As fast as the journal takes them, but not so fast that its memory is full first.
    private async Task RecordUntilAsync(Func<Task<bool>> condition)
    {
        JsonElement content = JsonSerializer.SerializeToElement(new string('x', 2000));
        await Eventually.IsTrueAsync(async _ =>
        {
            if (Journal.Status.Queued < 1000)
            {
                for (int i = 0; i < 50; i++)
                    Record(new PluginEvent("test", $"e{_recorded.Count}", content));
            }
            return await condition();
        });
    }

    private async Task AcknowledgeAsync()
    {
        await Journal.WhenDurableAsync(_recorded[^1], Cancellation).WaitAsync(Limit, Cancellation);
        _acknowledged.AddRange(_recorded[_acknowledged.Count..]);
    }

    /// <summary>Whether the server has ended.</summary>
    private async Task<bool> TrySwitchAsync()
    {
        int before = _store!.PrivateServer!.ProcessId;
        try
        {
            await using var connection = new NpgsqlConnection(Location.ConnectionString + ";Pooling=false;Timeout=5");
            await connection.OpenAsync(Cancellation);
            await using var command = new NpgsqlCommand("select pg_logical_emit_message(false, 'test', repeat('x', 1000000)), pg_switch_wal()", connection);
            await command.ExecuteScalarAsync(Cancellation);
        }
        catch (NpgsqlException exception) when (exception is not PostgresException)
        {
            // The connection broke, or there is nobody to connect to.
        }
        catch (PostgresException)
        {
            // It says that it ends, or that it starts.
        }
        return _store.PrivateServer!.ProcessId != before || !Directory.Exists($"/proc/{before}");
    }

    private async Task AssertAllThereAsync()
    {
        await Journal.WhenDurableAsync(_recorded[^1], Cancellation).WaitAsync(Limit, Cancellation);
        await Eventually.IsTrueAsync(() => Journal.Status is { State: JournalState.Live } status && status.LastCommitted == status.LastRecorded);
        List<RecordedEvent> log = [];
        await foreach (RecordedEvent stored in _store!.ReadAsync(_node, 0, null, Cancellation))
            log.Add(stored);
        log.Select(stored => stored.NodeSeq).ShouldBe(Enumerable.Range(1, log.Count).Select(place => (long)place));
        log.Where(stored => stored.Data is PluginUnloaded or PluginEvent or PeerTrusted).Select(stored => stored.Id).ShouldBe(_recorded.Select(each => each.Id));
        AuditReport report = await _store.Audit.VerifyAsync(_node, null, Cancellation);
        report.Findings.ShouldBeEmpty();
    }
}
