using EventMesh.Conformance;
using EventMesh.Events;
using EventMesh.Identity;
using EventMesh.Journal;
using EventMesh.Marten.Audit;
using EventMesh.Marten.Tests.Fixture;
using Shouldly;
using Xunit;

namespace EventMesh.Marten.Tests.Retention;

/// <summary>The audit walks the table of events and the blocks as one log, and accepts what was dropped and no more.</summary>
public sealed class ArchivedAuditTests(PostgresFixture postgres) : IAsyncLifetime
{
    private LogRun _run = null!;
    private EventJournal _journal = null!;

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        _run = await LogRun.CreateAsync(postgres);
        _journal = await _run.WriteAsync(perMonth: 1600);
    }

    public ValueTask DisposeAsync() => _run.DisposeAsync();

    [Fact]
    public async Task A_log_with_archived_months_verifies_and_also_half_way()
    {
        (await _run.MoveAsync(blocks: 1)).ShouldBe(1);
        (await VerifyAsync()).Findings.ShouldBeEmpty();
        await _run.MoveAsync();

        AuditReport report = await VerifyAsync();

        report.Findings.ShouldBeEmpty();
        report.LastPlace.ShouldBe(_journal.LastNodeSeq);
        report.ChainedFrom.ShouldBe(1);
        report.Dropped.ShouldBeEmpty();
        report.Projections.ShouldContain("connection_history");
    }

    // Each changes the fifth event of the first block of peers.
    [Theory]
    [InlineData("data[5] = (data[5]::jsonb || '{\"more\": 1}')::text", AuditProblem.Changed)]
    [InlineData("data[5] = 'nothing'", AuditProblem.Changed)]
    [InlineData("times[5] = times[5] + interval '1 microsecond'", AuditProblem.Changed)]
    [InlineData("ids[5] = null", AuditProblem.Changed)]
    [InlineData("headers[5] = (headers[5]::jsonb || '{\"hash\": \"AAAA\"}')::text", AuditProblem.BrokenLink)]
    [InlineData("headers[5] = '{'", AuditProblem.BrokenLink)]
    [InlineData("seqs[5] = null", AuditProblem.Removed)]
    [InlineData("ids = ids || gen_random_uuid()", AuditProblem.Inserted)]
    public async Task A_change_inside_a_block_is_found(string change, AuditProblem expected)
    {
        await _run.MoveAsync();
        long place = (long)(await _run.ScalarAsync($"select seqs[5] from {_run.Schema}.log_block where stream_id = 'peers/2026-01' order by first_seq limit 1"))!;
        await _run.ScalarAsync(
            $"""
            update {_run.Schema}.log_block set {change} where stream_id = 'peers/2026-01'
                and first_seq = (select min(first_seq) from {_run.Schema}.log_block where stream_id = 'peers/2026-01')
            """);

        AuditReport report = await VerifyAsync();

        report.Findings.ShouldContain(finding => finding.Problem == expected && (finding.Place == place || expected == AuditProblem.Inserted));
    }

    [Fact]
    public async Task A_hidden_block_and_a_removed_one_are_found()
    {
        await _run.MoveAsync();
        // Out of the readers' sight, but there.
        await _run.ScalarAsync($"update {_run.Schema}.log_block set family = 'other' where stream_id = 'cache/2026-01'");
        (await VerifyAsync()).Findings.ShouldContain(finding => finding.Problem == AuditProblem.Inserted);

        await _run.ScalarAsync($"delete from {_run.Schema}.log_block where stream_id = 'cache/2026-01'");

        AuditReport report = await VerifyAsync();
        report.Findings.ShouldContain(finding => finding.Problem == AuditProblem.Removed);
        report.Dropped.ShouldBeEmpty();
    }

    [Fact]
    public async Task A_dropped_month_is_reported_and_no_finding()
    {
        await DropAsync();

        AuditReport report = await VerifyAsync();

        report.Findings.ShouldBeEmpty();
        report.Dropped.Select(month => (month.Family, month.Month)).ShouldBe([(StreamFamily.Peers, "2026-01"), (StreamFamily.Peers, "2026-02")]);
        report.Dropped.ShouldAllBe(month => month.Place > month.LastSeq && month.Count > 1000);
        // What a new fold can't give is not compared.
        report.Projections.ShouldNotContain("connection_history");
        report.Projections.ShouldContain("trust_ledger");
    }

    [Theory]
    // More than the event tells is gone.
    [InlineData("delete from {0}.log_block where stream_id = 'cache/2026-01'", AuditProblem.Removed)]
    [InlineData("delete from {0}.mt_events where stream_id = 'trust' and version = 1", AuditProblem.Removed)]
    // The event does not tell what it told.
    [InlineData("update {0}.mt_events set data = jsonb_set(data, '{{count}}', '5000') where type = 'segment.dropped.v1' and data ->> 'month' = '2026-01'", AuditProblem.Changed)]
    [InlineData("delete from {0}.mt_events where type = 'segment.dropped.v1' and data ->> 'month' = '2026-01'", AuditProblem.Removed)]
    // The event that follows the month is linked to the one the drop tells of.
    [InlineData(
        """
        update {0}.mt_events set data = data || '{{"more": 1}}' where (headers ->> 'seq')::bigint =
            (select last_seq + 1 from {0}.log_segment where stream_id = 'peers/2026-01')
        """, AuditProblem.Changed)]
    public async Task More_than_a_dropped_month_is_found(string sql, AuditProblem expected)
    {
        await DropAsync();
        await _run.ScalarAsync(string.Format(System.Globalization.CultureInfo.InvariantCulture, sql, _run.Schema));

        AuditReport report = await VerifyAsync();

        report.Findings.ShouldContain(finding => finding.Problem == expected);
    }

    [Fact]
    public async Task A_peers_addresses_are_erased_inside_of_blocks_too_and_stay_vouched_for_when_a_month_goes()
    {
        PeerId peer = EventStoreSamples.Peer(3);
        await _run.MoveAsync();
        (await ShownAsync()).ShouldBeGreaterThan(20);
        string others = await OthersAsync();

        AuditErasure erasure = (await _run.Store.Privacy.EraseAsync(
            _run.Node, peer,
            async (data, token) =>
            {
                RecordedEvent recorded = _journal.Record(data);
                await _journal.WhenDurableAsync(recorded, token);
                await _run.CommittedAsync(_journal);
                return recorded;
            },
            Cancellation)).ShouldNotBeNull();

        (await ShownAsync()).ShouldBe(0);
        (await OthersAsync()).ShouldBe(others);
        AuditReport report = await VerifyAsync();
        report.Findings.ShouldBeEmpty();
        report.Erasures.ShouldBe([erasure]);
        (await _run.ReadAsync()).Select(recorded => recorded.Data).OfType<PeerJoined>().Where(joined => joined.Peer == peer)
            .ShouldAllBe(joined => joined.Endpoints[0].Address.ToString().StartsWith("100::", StringComparison.Ordinal));

        // Nor in what opens the months.
        (await _run.ScalarAsync(
            $"""
            select count(*) from {_run.Schema}.event_log cross join lateral jsonb_path_query(data, '$.*[*] ? (@.peer == "{peer}")') part
            where type ~ 'segment-opened' and part::text ~ '127.0.0.1|test/1'
            """)).ShouldBe(0L);

        await DropAsync();
        (await VerifyAsync()).Findings.ShouldBeEmpty();

        async Task<long> ShownAsync() => (long)(await _run.ScalarAsync(
            $"select count(*) from {_run.Schema}.event_log where is_archived and type !~ 'segment-opened' and data::text ~ '{peer}' and data::text ~ '127.0.0.1|test/1'"))!;
        async Task<string> OthersAsync() => (string)(await _run.ScalarAsync(
            $"select md5(string_agg(v::text, ',' order by node_seq)) from {_run.Schema}.event_log v where is_archived and data::text !~ '{peer}'"))!;
    }

    private async Task DropAsync() => (await _run.DropAsync(_journal, TimeSpan.Zero)).Count.ShouldBe(2);

    private Task<AuditReport> VerifyAsync() => _run.Store.Audit.VerifyAsync(_run.Node, null, Cancellation);
}
