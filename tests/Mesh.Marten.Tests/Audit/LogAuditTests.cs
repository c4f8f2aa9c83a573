using EventMesh.Events;
using EventMesh.Journal;
using EventMesh.Marten.Audit;
using EventMesh.Marten.Tests.Fixture;
using EventMesh.Trust.Internal;
using Shouldly;
using Xunit;

namespace EventMesh.Marten.Tests.Audit;

/// <summary>Whoever changes a log in the database is found out, and told where.</summary>
public sealed class LogAuditTests(PostgresFixture postgres, LogAuditTests.ClassSchema schema) : IAsyncLifetime, IClassFixture<LogAuditTests.ClassSchema>
{
    private AuditedLog _log = null!;

    public async ValueTask InitializeAsync()
    {
        schema.Name ??= postgres.NewSchema();
        _log = await AuditedLog.OpenAsync(postgres, schema.Name);
        await _log.FillAsync();
    }

    public ValueTask DisposeAsync() => _log.DisposeAsync();

    [Fact]
    public async Task An_untouched_log_with_every_type_of_event_is_good()
    {
        long sealedAt = await _log.SealAsync();
        await _log.AppendAsync(new NodeStopped("done"));

        AuditReport report = await _log.VerifyAsync();

        report.Findings.ShouldBeEmpty();
        report.IsGood.ShouldBeTrue();
        report.LastPlace.ShouldBe(_log.Last);
        report.ChainedFrom.ShouldBe(1);
        report.Head.ShouldBe((await _log.HeadAsync()).Hash);
        (report.Seals, report.SealedThrough).ShouldBe((1, sealedAt - 1));
        report.Projections.ShouldContain("connection_history");
    }

    [Theory]
    [InlineData("update {s}.mt_events set data = jsonb_set(data, '{reason}', '\"other\"') where {at} = $1")]
    [InlineData("update {s}.mt_events set data = data || '{\"more\":1}' where {at} = $1")]
    [InlineData("update {s}.mt_events set headers = headers || '{\"trace\":\"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00\"}' where {at} = $1")]
    [InlineData("update {s}.mt_events set id = gen_random_uuid() where {at} = $1")]
    [InlineData("update {s}.mt_events set timestamp = timestamp + interval '1 microsecond' where {at} = $1")]
    public async Task A_changed_event_is_found(string sql)
    {
        (await _log.TamperAsync(sql, 2L)).ShouldBe(1);

        AuditReport report = await _log.VerifyAsync();

        report.Findings.Where(finding => finding.Problem != AuditProblem.Projection).ShouldHaveSingleItem()
            .ShouldSatisfyAllConditions(finding => finding.Problem.ShouldBe(AuditProblem.Changed), finding => finding.Place.ShouldBe(2));
    }

    [Fact]
    public async Task What_was_announced_is_chained_like_the_rest_and_need_not_come()
    {
        await _log.AnnounceAsync([new NodeStopped("announced"), new PluginUnloaded("announced")]);
        await _log.AnnounceAsync([new NodeStopped("announced")], [new PluginUnloaded("another"), new NodeStopped("another")]);
        await _log.AppendAsync(new NodeStopped("unannounced"));

        AuditReport report = await _log.VerifyAsync();

        report.Findings.ShouldBeEmpty();
        report.LastPlace.ShouldBe(_log.Last);
        report.Head.ShouldBe((await _log.HeadAsync()).Hash);
    }

    [Fact]
    public async Task A_change_of_the_last_event_is_found()
    {
        await _log.AppendAsync(new NodeStopped("told to"));
        await _log.TamperAsync("update {s}.mt_events set data = '{\"reason\":\"fell over\"}' where {at} = $1", _log.Last);

        ShouldFind(await _log.VerifyAsync(), AuditProblem.Changed, _log.Last);
    }

    [Fact]
    public async Task A_changed_type_is_found_in_what_it_belongs_to_as_well()
    {
        await _log.TamperAsync("update {s}.mt_events set type = 'node.bootstrap-failed.v1' where {at} = $1", 2L);

        ShouldFind(await _log.VerifyAsync(), AuditProblem.Changed, 2);
    }

    [Fact]
    public async Task A_removed_event_is_found_and_nothing_else()
    {
        await _log.TamperAsync("delete from {s}.mt_events where {at} = $1", 3L);

        ShouldFind(await _log.VerifyAsync(), AuditProblem.Removed, 3);
    }

    [Fact]
    public async Task An_end_that_was_cut_off_is_found()
    {
        await _log.TamperAsync("delete from {s}.mt_events where {at} > $1", _log.Last - 2);

        ShouldFind(await _log.VerifyAsync(), AuditProblem.Removed, _log.Last - 1);
    }

    [Fact]
    public async Task An_end_that_was_cut_off_together_with_its_note_is_found_by_an_exported_head()
    {
        SignedHead head = LogSeal.Sign(_log.Identity, await _log.HeadAsync());
        long last = _log.Last;
        await _log.TamperAsync("delete from {s}.mt_events where {at} > $1", last - 2);
        await _log.TamperAsync(
            """
            update {s}.node_log as n set node_seq = $1, epoch = (e.headers ->> 'epoch')::int, time = e.timestamp, hash = decode(e.headers ->> 'hash', 'base64')
            from {s}.mt_events as e where n.tenant_id = e.tenant_id and e.tenant_id = {node} and (e.headers ->> 'seq')::bigint = $1
            """,
            last - 2);

        AuditReport report = await _log.VerifyAsync(head);

        report.Findings.Single(finding => finding.Problem != AuditProblem.Projection)
            .ShouldSatisfyAllConditions(finding => finding.Problem.ShouldBe(AuditProblem.Rewritten), finding => finding.Place.ShouldBe(last));
    }

    [Fact]
    public async Task Two_events_that_changed_places_are_found()
    {
        await _log.TamperAsync("update {s}.mt_events set headers = headers || '{\"seq\":1000000}' where {at} = $1", 3L);
        await _log.TamperAsync("update {s}.mt_events set headers = headers || '{\"seq\":3}' where {at} = $1", 4L);
        await _log.TamperAsync("update {s}.mt_events set headers = headers || '{\"seq\":4}' where {at} = 1000000");

        AuditReport report = await _log.VerifyAsync();

        report.Findings.Where(finding => finding.Problem == AuditProblem.Changed).Select(finding => finding.Place).ShouldBe([3, 4]);
        report.Findings.ShouldContain(finding => finding.Problem == AuditProblem.Misplaced && finding.Place == 4);
    }

    [Theory]
    [InlineData("headers || '{\"seq\":1000000}'")]
    [InlineData("headers - 'seq'")]
    public async Task A_row_that_the_walk_does_not_meet_is_found(string headers)
    {
        await InsertAsync(3, headers);

        AuditReport report = await _log.VerifyAsync();

        report.Findings.ShouldHaveSingleItem().Problem.ShouldBe(AuditProblem.Inserted);
    }

    [Fact]
    public async Task A_row_at_a_place_that_is_taken_is_found_also_where_it_copies_the_link()
    {
        await _log.DisposeAsync();
        _log = await AuditedLog.OpenAsync(postgres);
        await _log.FillAsync();
        await _log.TamperAsync("drop index {s}.mesh_events_place");
        await InsertAsync(3, "headers");

        AuditReport report = await _log.VerifyAsync();

        report.Findings.ShouldContain(finding => finding.Problem == AuditProblem.Inserted && finding.Place == 3);
    }

    [Fact]
    public async Task A_changed_link_is_told_from_a_changed_event()
    {
        string zeros = Convert.ToBase64String(new byte[32]);
        await _log.TamperAsync($"update {{s}}.mt_events set headers = headers || '{{\"hash\":\"{zeros}\"}}' where {{at}} = $1", 5L);

        ShouldFind(await _log.VerifyAsync(), AuditProblem.BrokenLink, 5);
    }

    [Fact]
    public async Task A_missing_link_is_found()
    {
        await _log.TamperAsync("update {s}.mt_events set headers = headers - 'hash' where {at} = $1", 5L);

        ShouldFind(await _log.VerifyAsync(), AuditProblem.BrokenLink, 5);
    }

    [Fact]
    public async Task A_changed_note_of_the_end_is_found()
    {
        await _log.TamperAsync("update {s}.node_log set hash = decode(repeat('00', 32), 'hex') where tenant_id = {node}");

        ShouldFind(await _log.VerifyAsync(), AuditProblem.WrongHead, _log.Last);
    }

    [Fact]
    public async Task An_event_in_another_stream_is_found()
    {
        await _log.TamperAsync("update {s}.mt_events set stream_id = 'trust', version = 1000 where {at} = $1", 2L);

        ShouldFind(await _log.VerifyAsync(), AuditProblem.Misplaced, 2);
    }

    [Fact]
    public async Task A_seal_by_another_key_and_one_that_was_changed_are_found()
    {
        LogHead head = await _log.HeadAsync();
        await using AuditedLog other = await AuditedLog.OpenAsync(postgres, _log.Schema);
        SignedHead foreign = LogSeal.Sign(other.Identity, head) with { Node = _log.Node };
        SignedHead own = LogSeal.Sign(_log.Identity, head);
        long first = await _log.AppendAsync(new LogSealed(foreign.Place, foreign.Hash, foreign.PublicKey, foreign.Signature));
        await _log.AppendAsync(new LogSealed(own.Place - 1, own.Hash, own.PublicKey, own.Signature));
        await _log.AppendAsync(new LogSealed(own.Place, [1], own.PublicKey, own.Signature));

        AuditReport report = await _log.VerifyAsync();

        report.Findings.Select(finding => (finding.Problem, finding.Place)).ShouldBe(
            [(AuditProblem.ForgedSeal, first), (AuditProblem.ForgedSeal, first + 1), (AuditProblem.ForgedSeal, first + 2)]);
        report.SealedThrough.ShouldBe(0);
    }

    [Fact]
    public async Task A_log_that_was_rewritten_with_a_chain_that_fits_is_found_by_its_seals_and_by_an_exported_head()
    {
        SignedHead exported = LogSeal.Sign(_log.Identity, await _log.HeadAsync());
        await _log.SealAsync();
        await _log.TamperAsync("update {s}.mt_events set data = '{\"reason\":\"nothing happened\"}' where {at} = $1", 2L);
        await Forger.ChainAnewAsync(postgres, _log);

        AuditReport report = await _log.VerifyAsync(exported);

        report.Findings.Where(finding => finding.Problem != AuditProblem.Projection).Select(finding => (finding.Problem, finding.Place))
            .ShouldBe([(AuditProblem.Rewritten, exported.Place), (AuditProblem.Rewritten, exported.Place)]);
    }

    [Fact]
    public async Task A_head_that_was_exported_earlier_fits_a_log_that_has_grown()
    {
        SignedHead exported = LogSeal.Sign(_log.Identity, await _log.HeadAsync());
        await _log.AppendAsync(new NodeStopped("later"));

        (await _log.VerifyAsync(exported)).Findings.ShouldBeEmpty();
        ShouldFind(await _log.VerifyAsync(exported with { Place = exported.Place - 1 }), AuditProblem.ForgedSeal, null);
    }

    [Fact]
    public async Task A_projection_that_was_changed_is_found_and_left_as_it_is()
    {
        await _log.WaitForProjectionsAsync();
        await _log.TamperAsync("update {s}.connection_history_1 set remote = '203.0.113.9:1' where node_id = {node}::uuid");
        await _log.TamperAsync("delete from {s}.bootstrap_cache_1 where node_id = {node}::uuid");

        AuditReport report = await _log.VerifyAsync();

        report.Findings.ShouldAllBe(finding => finding.Problem == AuditProblem.Projection);
        report.Findings.ShouldContain(finding => finding.Detail.Contains("203.0.113.9:1", StringComparison.Ordinal));
        report.Findings.ShouldContain(finding => finding.Detail.StartsWith("bootstrap_cache:", StringComparison.Ordinal) && finding.Detail.Contains("is not there", StringComparison.Ordinal));
        (await _log.ScalarAsync<long>("select count(*) from {s}.connection_history_1 where remote = '203.0.113.9:1' and node_id = {node}::uuid")).ShouldBe(1);
        (await _log.ScalarAsync<long>("select count(*) from {s}.projection_position where generation > 1")).ShouldBe(0);
    }

    [Fact]
    public async Task Of_a_log_that_is_older_than_the_chain_the_part_since_is_vouched_for()
    {
        long from = _log.Last + 1;
        await _log.TamperAsync("update {s}.mt_events set headers = headers - 'hash' where tenant_id = {node}");
        await _log.TamperAsync("update {s}.node_log set hash = null, chained_from = null where tenant_id = {node}");
        await using EventMesh.Marten.Store.MartenEventStore upgraded = await postgres.OpenStoreAsync(_log.Schema);
        await upgraded.AppendAsync(
            _log.Node, EventMesh.Conformance.EventStoreSamples.Record(2, from, new NodeStopped("a"), new NodeStopped("b"), new NodeStopped("c")),
            TestContext.Current.CancellationToken);

        AuditReport good = await _log.VerifyAsync();
        await _log.TamperAsync("update {s}.mt_events set data = '{\"reason\":\"x\"}' where {at} = $1", from);

        good.Findings.ShouldBeEmpty();
        good.ChainedFrom.ShouldBe(from);
        ShouldFind(await _log.VerifyAsync(), AuditProblem.Changed, from);
    }

    // Of places and of projections; the one who changes the log does not change what follows from it.
    private static void ShouldFind(AuditReport report, AuditProblem problem, long? place)
    {
        AuditFinding finding = report.Findings.Where(each => each.Problem != AuditProblem.Projection).ShouldHaveSingleItem();
        (finding.Problem, finding.Place).ShouldBe((problem, place));
        report.IsGood.ShouldBeFalse();
    }

    private Task<int> InsertAsync(long like, string headers) => _log.TamperAsync(
        $$"""
        insert into {s}.mt_events (seq_id, id, stream_id, version, data, type, timestamp, tenant_id, mt_dotnet_type, is_archived, headers)
        select nextval('{s}.mt_events_sequence'), gen_random_uuid(), stream_id, version + 1000, data, type, timestamp, tenant_id, '', false, {{headers}}
        from {s}.mt_events where {at} = $1
        """,
        like);

    public sealed class ClassSchema
    {
        public string? Name { get; set; }
    }
}
