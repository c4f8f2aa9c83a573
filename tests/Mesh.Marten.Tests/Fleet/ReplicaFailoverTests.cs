using EventMesh.Conformance;
using EventMesh.Events;
using EventMesh.Identity;
using EventMesh.Journal;
using EventMesh.Marten.Internal;
using EventMesh.Marten.Queries;
using EventMesh.Marten.Store;
using EventMesh.Marten.Tests.Fixture;
using EventMesh.Node;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;
using Npgsql;
using Shouldly;
using Xunit;

namespace EventMesh.Marten.Tests.Fleet;

/// <summary>A primary with a streaming replica, both real processes: a node goes on where the primary is, and never with a hole in its log.</summary>
public sealed class ReplicaFailoverTests : IDisposable
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(90);
    private readonly TempFolder _data = new();
    private readonly NodeId _node = new(Guid.NewGuid());

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public void Dispose() => _data.Dispose();

    [Fact]
    public async Task With_synchronous_replication_a_failover_loses_and_doubles_nothing_and_a_standby_answers_queries()
    {
        await using ReplicatedServers servers = await ReplicatedServers.StartAsync(isSynchronous: true);
        await using MartenEventStore store = await OpenStoreAsync(servers, readFromReplica: true);
        await using EventJournal journal = await OpenJournalAsync(store);
        var recorded = new List<RecordedEvent>();
        await RecordAsync(journal, recorded, 500);
        await Eventually.IsTrueAsync(() => journal.Status is { State: JournalState.Live } status && status.LastCommitted == status.LastRecorded);
        await servers.WhenFollowedAsync();

        (await AskAsync(store.Session.QuerySource, "select pg_is_in_recovery()")).ShouldBe(true);
        (await AskAsync(store.Session.Source, "select pg_is_in_recovery()")).ShouldBe(false);
        await Eventually.IsTrueAsync(async _ => (await store.Queries.GetProjectionsAsync(_node, Cancellation)).All(projection => projection.NodeSeq == recorded[^1].NodeSeq));

        await servers.KillPrimaryAsync();
        await RecordAsync(journal, recorded, 300);
        await Eventually.IsTrueAsync(() => journal.Status.Spooled > 0);
        (await store.Queries.GetPeersAsync(_node, null, Cancellation)).Count.ShouldBeGreaterThan(0, "the standby answers while there is no primary");
        await servers.PromoteAsync();
        await RecordAsync(journal, recorded, 200);
        await Eventually.IsTrueAsync(() => journal.Status is { State: JournalState.Live } status && status.LastCommitted == status.LastRecorded);

        List<RecordedEvent> log = [];
        await foreach (RecordedEvent each in store.ReadAsync(_node, 0, null, Cancellation))
            log.Add(each);
        log.Select(each => each.NodeSeq).ShouldBe(Enumerable.Range(1, log.Count).Select(place => (long)place));
        log.Where(each => each.Data is PeerJoined).Select(each => each.Id).ShouldBe(recorded.Select(each => each.Id));
        await Eventually.IsTrueAsync(async _ => (await store.Queries.GetProjectionsAsync(_node, Cancellation)).All(projection => projection.NodeSeq >= recorded[^1].NodeSeq));
        await journal.StopAsync("test", Cancellation);
    }

    [Fact]
    public async Task A_replica_that_was_behind_is_noticed_and_the_log_gets_no_hole()
    {
        await using ReplicatedServers servers = await ReplicatedServers.StartAsync(isSynchronous: false);
        await using MartenEventStore store = await OpenStoreAsync(servers, readFromReplica: false);
        await using EventJournal journal = await OpenJournalAsync(store);
        var recorded = new List<RecordedEvent>();
        await RecordAsync(journal, recorded, 50);
        await Eventually.IsTrueAsync(() => journal.Status.LastCommitted == recorded[^1].NodeSeq);
        await servers.WhenFollowedAsync();
        await servers.CutReplicaAsync();
        long kept = recorded[^1].NodeSeq;
        await RecordAsync(journal, recorded, 50);
        await Eventually.IsTrueAsync(() => journal.Status.LastCommitted == recorded[^1].NodeSeq);

        await servers.KillPrimaryAsync();
        await servers.PromoteAsync();
        await RecordAsync(journal, recorded, 10);

        MeshException failure = await journal.Failed.WaitAsync(Limit, Cancellation);
        failure.Error.ShouldBe(MeshError.EpochLost);
        failure.Message.ShouldContain("The store has lost 50 events that it had acknowledged");
        (await servers.ScalarAsync(1, "select max(node_seq) from mesh.node_log")).ShouldBe(kept);

        // As docs/fleet.md tells: the spool is moved away, and the next start goes on where the log ends.
        await journal.DisposeAsync();
        File.Delete(Path.Combine(_data.Path, EventSpool.FileName));
        var log = new CapturedLog<EventJournal>();
        await using EventJournal next = await OpenJournalAsync(store, log);
        log.Lines.ShouldContain(line => line.Contains("StoreLostTail", StringComparison.Ordinal) && line.Contains("50 events are lost", StringComparison.Ordinal));
        RecordedEvent after = next.Record(new NodeStopped("x"));
        await next.WhenDurableAsync(after, Cancellation).WaitAsync(Limit, Cancellation);
        await Eventually.IsTrueAsync(async _ => (long?)await servers.ScalarAsync(1, "select max(node_seq) from mesh.node_log") >= after.NodeSeq);
    }

    [Theory]
    [InlineData("Host=a,b;Target Session Attributes=standby", false, "needs the primary")]
    [InlineData("Host=a", true, "needs several hosts")]
    public void Hosts_that_can_not_be_used_so_are_refused(string connectionString, bool readFromReplica, string reason) =>
        new MeshStoreOptionsValidator().Validate(null, new MeshStoreOptions { ConnectionString = connectionString, ReadFromReplica = readFromReplica })
            .FailureMessage!.ShouldContain(reason);

    private async Task<MartenEventStore> OpenStoreAsync(ReplicatedServers servers, bool readFromReplica)
    {
        var options = new MeshStoreOptions { ConnectionString = servers.ConnectionString + ";Target Session Attributes=primary", ReadFromReplica = readFromReplica };
        var store = new MartenEventStore(options, EventRegistry.Default, TimeProvider.System, new TestLog());
        await store.OpenAsync(_node, "", Cancellation);
        return store;
    }

    private async Task<EventJournal> OpenJournalAsync(MartenEventStore store, ILogger<EventJournal>? logger = null)
    {
        var journal = new EventJournal(
            store, new EventSpool(), TimeProvider.System, Options.Create(new MeshOptions()), logger ?? NullLogger<EventJournal>.Instance);
        await journal.OpenAsync(_node, _data.Path, _ => EventStoreSamples.Started(_node), Cancellation);
        return journal;
    }

    private static async Task RecordAsync(EventJournal journal, List<RecordedEvent> recorded, int count)
    {
        for (int i = 0; i < count; i++)
        {
            recorded.Add(journal.Record(new PeerJoined(EventStoreSamples.Peer(i), Guid.NewGuid(), PeerKind.Node, [], "agent")));
            // In several batches.
            if (i % 20 == 19)
                await journal.WhenDurableAsync(recorded[^1], Cancellation).WaitAsync(Limit, Cancellation);
        }
    }

    private static async Task<object?> AskAsync(NpgsqlDataSource source, string sql)
    {
        await using NpgsqlCommand command = source.CreateCommand(sql);
        return await command.ExecuteScalarAsync(Cancellation);
    }
}
