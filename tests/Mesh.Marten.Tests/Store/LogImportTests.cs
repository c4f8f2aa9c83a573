using System.Runtime.CompilerServices;
using EventMesh.Conformance;
using EventMesh.Events;
using EventMesh.Identity;
using EventMesh.Journal;
using EventMesh.Marten.Queries;
using EventMesh.Marten.Store;
using EventMesh.Marten.Tests.Fixture;
using Npgsql;
using Shouldly;
using Xunit;

namespace EventMesh.Marten.Tests.Store;

/// <summary>A log that is read from one store and imported into another is the same there, with the same projections, and stays so.</summary>
public sealed class LogImportTests(PostgresFixture postgres, LogImportTests.Schemas schemas) : IAsyncLifetime, IClassFixture<LogImportTests.Schemas>
{
    private static readonly string[] Views =
        ["bootstrap_cache_history", "peer_directory_history", "connection_history", "trust_ledger", "node_status_history", "mesh_topology_history"];

    private readonly NodeId _node = new(Guid.NewGuid());
    private readonly string _fromSchema = schemas.From ??= postgres.NewSchema();
    private readonly string _toSchema = schemas.To ??= postgres.NewSchema();
    private MartenEventStore _from = null!;
    private MartenEventStore _to = null!;

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        _from = await postgres.OpenStoreAsync(_fromSchema);
        _to = await postgres.OpenStoreAsync(_toSchema);
    }

    public async ValueTask DisposeAsync()
    {
        await _from.DisposeAsync();
        await _to.DisposeAsync();
    }

    [Fact]
    public async Task An_imported_log_has_the_same_events_and_projections()
    {
        await WriteAsync();
        // Two runs of the node: the import takes over the log twice too.
        RecordedEvent[] again = EventStoreSamples.Record(2, 1 + (await ReadAsync(_from)).Count, EventStoreSamples.Started(_node));
        await _from.ClaimEpochAsync(_node, again[0], Cancellation);
        List<RecordedEvent> exported = await ReadAsync(_from);

        (await _to.ImportAsync(_node, Replay(exported), exported.Count, Cancellation)).ShouldBe(exported.Count);

        (await ReadAsync(_to)).Select(Text).ShouldBe(exported.Select(Text));
        (await _to.GetPositionAsync(_node, Cancellation)).ShouldBe(await _from.GetPositionAsync(_node, Cancellation));
        await Eventually.FoldedAsync(_from, _node);
        await Eventually.FoldedAsync(_to, _node);
        foreach (string view in Views)
            (await DigestAsync(_toSchema, view)).ShouldBe(await DigestAsync(_fromSchema, view), view);
    }

    [Fact]
    public async Task No_node_appends_to_an_imported_log_and_no_import_changes_one()
    {
        await WriteAsync();
        List<RecordedEvent> exported = await ReadAsync(_from);
        await _to.ImportAsync(_node, Replay(exported), null, Cancellation);
        RecordedEvent next = EventStoreSamples.Record(1, exported.Count + 1, new NodeStopped("x"))[0];

        MeshException append = await Should.ThrowAsync<MeshException>(() => _to.AppendAsync(_node, [next], Cancellation));
        append.Error.ShouldBe(MeshError.EpochLost);
        append.Message.ShouldContain("was imported for analysis");
        await Should.ThrowAsync<MeshException>(() => _to.ClaimEpochAsync(_node, next with { Epoch = 2, Data = EventStoreSamples.Started(_node) }, Cancellation));
        (await Should.ThrowAsync<MeshException>(() => _to.ImportAsync(_node, Replay(exported), null, Cancellation))).Error.ShouldBe(MeshError.ConcurrencyConflict);
        (await Should.ThrowAsync<MeshException>(() => _from.ImportAsync(_node, Replay(exported), null, Cancellation))).Error.ShouldBe(MeshError.ConcurrencyConflict);
        (await ReadAsync(_to)).Count.ShouldBe(exported.Count);
    }

    [Fact]
    public async Task A_range_is_imported_as_the_range_that_it_is()
    {
        await WriteAsync();
        List<RecordedEvent> range = [.. (await ReadAsync(_from)).Where(recorded => recorded.NodeSeq is > 10 and <= 30)];
        (await _to.ImportAsync(_node, Replay(range), 30, Cancellation)).ShouldBe(20);
        (await ReadAsync(_to)).Select(recorded => recorded.NodeSeq).ShouldBe(range.Select(recorded => recorded.NodeSeq));
        (await _to.Queries.FindPlaceAsync(_node, range[5].Time, Cancellation)).ShouldBe(16);
    }

    [Fact]
    public async Task An_import_that_fails_leaves_nothing_and_can_be_repeated()
    {
        await WriteAsync();
        List<RecordedEvent> exported = await ReadAsync(_from);
        List<RecordedEvent> gap = [.. exported.Where(recorded => recorded.NodeSeq != 1200)];

        (await Should.ThrowAsync<MeshException>(() => _to.ImportAsync(_node, Replay(gap), null, Cancellation))).Message.ShouldContain("After place 1199 comes place 1201");
        (await Should.ThrowAsync<MeshException>(() => _to.ImportAsync(_node, Replay(exported.Take(1000)), exported.Count, Cancellation)))
            .Message.ShouldContain("it was cut off");
        (await Should.ThrowAsync<MeshException>(() => _to.ImportAsync(_node, Replay(exported, failAt: 1100), exported.Count, Cancellation)))
            .InnerException.ShouldBeOfType<InvalidDataException>();
        (await Should.ThrowAsync<MeshException>(() => _to.ImportAsync(_node, Replay([]), null, Cancellation))).Message.ShouldContain("no events");

        (await _to.GetPositionAsync(_node, Cancellation)).NodeSeq.ShouldBe(0);
        foreach (string table in new[] { "mt_events", "mt_streams" })
            (await ScalarAsync($"select count(*) from {_toSchema}.{table} where tenant_id = '{_node}'")).ShouldBe(0L, table);
        await ShouldNotBeFoldedAsync();
        // As a crash leaves it: rows, and the mark that the import is under way.
        await ScalarAsync($"insert into {_toSchema}.node_log (tenant_id, epoch, node_seq, time, imported) values ('{_node}', 7, 7, now(), 'under way') returning 1");
        (await _to.ImportAsync(_node, Replay(exported), exported.Count, Cancellation)).ShouldBe(exported.Count);
        await Eventually.FoldedAsync(_to, _node);
        await Eventually.FoldedAsync(_from, _node);
        foreach (string view in Views)
            (await DigestAsync(_toSchema, view)).ShouldBe(await DigestAsync(_fromSchema, view), view);
    }

    [Fact]
    public async Task Projections_follow_a_log_once_its_import_is_done()
    {
        await WriteAsync();
        List<RecordedEvent> exported = await ReadAsync(_from);
        var isHalfIn = new TaskCompletionSource();
        var goOn = new TaskCompletionSource();

        Task<long> import = _to.ImportAsync(_node, ReplayInHalves(), exported.Count, Cancellation);
        await isHalfIn.Task.WaitAsync(Cancellation);
        (await _to.GetPositionAsync(_node, Cancellation)).NodeSeq.ShouldBeGreaterThan(0);
        await Eventually.IsTrueAsync(() => _to.Session.Runner.Term > 0);
        long rounds = _to.Session.Runner.Rounds;
        await ScalarAsync($"select 1 from pg_notify('{_to.Session.Tables.Channel}', '{_node}')");
        await Eventually.IsTrueAsync(() => _to.Session.Runner.Rounds > rounds);
        await _to.Queries.RebuildAsync("connection_history", Cancellation);
        await ShouldNotBeFoldedAsync();

        goOn.SetResult();
        (await import).ShouldBe(exported.Count);
        await Eventually.FoldedAsync(_to, _node);

        async IAsyncEnumerable<RecordedEvent> ReplayInHalves()
        {
            foreach (RecordedEvent recorded in exported)
            {
                if (recorded.NodeSeq == 1000)
                {
                    isHalfIn.SetResult();
                    await goOn.Task.WaitAsync(Cancellation);
                }
                yield return recorded;
            }
        }
    }

    private async Task ShouldNotBeFoldedAsync()
    {
        (await ScalarAsync($"select count(*) from {_toSchema}.projection_position where tenant_id = '{_node}'")).ShouldBe(0L);
        foreach (string view in Views)
            (await ScalarAsync($"select count(*) from {_toSchema}.{view} where node_id = '{_node}'")).ShouldBe(0L, view);
    }

    private static async IAsyncEnumerable<RecordedEvent> Replay(
        IEnumerable<RecordedEvent> events, int failAt = int.MaxValue, [EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        foreach (RecordedEvent recorded in events)
        {
            await Task.Yield();
            cancellationToken.ThrowIfCancellationRequested();
            if (recorded.NodeSeq == failAt)
                throw new InvalidDataException("the file is damaged");
            yield return recorded;
        }
    }

    private static string Text(RecordedEvent recorded) =>
        $"{recorded.Id} {recorded.Epoch} {recorded.NodeSeq} {recorded.Time:O} {recorded.TraceParent} {recorded.Data.GetType().Name} {System.Text.Encoding.UTF8.GetString(MeshJson.Serialize(recorded.Data))}";

    /// <summary>Every type of event, three batches of an import long.</summary>
    private async Task WriteAsync()
    {
        var log = new LogScript(_from, _node);
        while (log.Events.Count < 1500)
            await log.AppendAsync([.. EventStoreSamples.EveryType(_node).Where(data => data is not NodeStarted)]);
    }

    private async Task<List<RecordedEvent>> ReadAsync(MartenEventStore store)
    {
        var events = new List<RecordedEvent>();
        await foreach (RecordedEvent recorded in store.ReadAsync(_node, 0, null, Cancellation))
            events.Add(recorded);
        return events;
    }

    private async Task<object> DigestAsync(string schema, string view) =>
        await ScalarAsync($"select count(*) || ' ' || coalesce(md5(string_agg(v::text, '|' order by v::text)), '') from {schema}.{view} v where node_id = '{_node}'");

    private async Task<object> ScalarAsync(string sql)
    {
        await using var connection = new NpgsqlConnection(postgres.ConnectionString + ";Pooling=false");
        await connection.OpenAsync(Cancellation);
        await using var command = new NpgsqlCommand(sql, connection);
        return (await command.ExecuteScalarAsync(Cancellation))!;
    }

    /// <summary>The schemas of this class: each test has a node of its own.</summary>
    public sealed class Schemas
    {
        public string? From { get; set; }

        public string? To { get; set; }
    }
}
