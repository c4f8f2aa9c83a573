using System.Net;
using EventMesh.Conformance;
using EventMesh.Events;
using EventMesh.Identity;
using EventMesh.Journal;
using EventMesh.Marten.Audit;
using EventMesh.Marten.Tests.Fixture;
using Npgsql;
using Shouldly;
using Xunit;

namespace EventMesh.Marten.Tests.Audit;

/// <summary>After an erasure the peer's addresses are nowhere, and the chain still proves everything else.</summary>
public sealed class LogErasureTests(PostgresFixture postgres) : IAsyncLifetime
{
    private static readonly PeerId Erased = EventStoreSamples.Peer(20);
    private static readonly PeerId Neighbour = EventStoreSamples.Peer(21);
    private static readonly IPEndPoint Own4 = IPEndPoint.Parse("198.51.100.7:4433");
    private static readonly IPEndPoint Own6 = IPEndPoint.Parse("[2001:db8:7::7]:4433");
    private static readonly IPEndPoint Shared = IPEndPoint.Parse("203.0.113.50:4433");
    private static readonly IPEndPoint Similar = IPEndPoint.Parse("198.51.100.70:4433");
    private static readonly Guid Connection = Guid.NewGuid();

    private AuditedLog _log = null!;

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        _log = await AuditedLog.OpenAsync(postgres);
        await _log.StartAsync();
        await _log.AppendAsync(
            new PeerDiscovered(Erased, Own4, DiscoverySource.PeerExchange), new ConnectionOpened(Connection, Erased, Own6, ConnectionDirection.Inbound),
            new PeerJoined(Erased, Guid.NewGuid(), PeerKind.Node, [Own4, Own6, Shared], "curious-agent/7"),
            new CacheEntryAdded(Erased, [Own4, Shared], [1], ConnectionDirection.Outbound),
            new PeerLeft(Erased, CloseReason.Remote), new ConnectionClosed(Connection, Erased, CloseReason.Remote, 1, 2, 3, 4, TimeSpan.FromSeconds(5)),
            new CacheEntryEvicted(Erased, EvictionReason.ByHand), new DialFailed(Own4, null, MeshError.Unreachable, $"nobody at {Own4}, or 198.51.100.7."),
            new InboundRefused("198.51.100.7/32", MeshError.TooManyConnections, 3), new InboundRefused("2001:db8:7::/56", MeshError.TooManyConnections, 1),
            new PinMismatch("node.example:4433", Neighbour, Erased, Own6),
            new ConnectionOpened(Guid.NewGuid(), Neighbour, Shared, ConnectionDirection.Outbound),
            new PeerJoined(Neighbour, Guid.NewGuid(), PeerKind.Node, [Shared, Similar], "neighbour/1"), new DialFailed(Shared, null, MeshError.Timeout, ""),
            new EndpointObserved(IPEndPoint.Parse("192.0.2.1:1"), Erased), new NodeStopped("at 10:20:30"));
        await _log.SealAsync();
    }

    public ValueTask DisposeAsync() => _log.DisposeAsync();

    [Fact]
    public async Task The_addresses_are_nowhere_in_the_database_and_the_log_still_verifies()
    {
        await _log.WaitForProjectionsAsync();
        (await SearchAsync("198.51.100.7")).ShouldNotBeEmpty();

        AuditErasure erasure = (await EraseAsync()).ShouldNotBeNull();

        foreach (string text in (string[])["198.51.100.7", "2001:db8:7::", "curious-agent"])
            (await SearchAsync(text)).ShouldBeEmpty();
        AuditReport report = await _log.VerifyAsync();
        report.Findings.ShouldBeEmpty();
        report.Erasures.ShouldBe([erasure]);
        report.SealedThrough.ShouldBeGreaterThan(1);
        erasure.Events.ShouldBe(8);
    }

    [Fact]
    public async Task What_others_were_seen_at_stays_but_not_with_the_peer()
    {
        await EraseAsync();
        List<RecordedEvent> log = await _log.Store.ReadAsync(_log.Node, 0, null, Cancellation).ToListAsync(Cancellation);

        PeerJoined joined = log.Select(recorded => recorded.Data).OfType<PeerJoined>().Single(data => data.Peer == Erased);
        joined.Endpoints.ShouldAllBe(endpoint => endpoint.Port == 4433 && endpoint.Address.ToString().StartsWith("100::", StringComparison.Ordinal));
        joined.Endpoints.Distinct().Count().ShouldBe(3);
        // The same address has the same pseudonym wherever it was.
        log.Select(recorded => recorded.Data).OfType<PeerDiscovered>().Single().Endpoint.ShouldBe(joined.Endpoints[0]);
        log.Select(recorded => recorded.Data).OfType<PeerJoined>().Single(data => data.Peer == Neighbour).Endpoints.ShouldBe([Shared, Similar]);
        log.Select(recorded => recorded.Data).OfType<DialFailed>().Select(data => data.Endpoint).ShouldBe([joined.Endpoints[0], Shared]);
        log.Select(recorded => recorded.Data).OfType<EndpointObserved>().Single().Endpoint.ShouldBe(IPEndPoint.Parse("192.0.2.1:1"));
    }

    [Fact]
    public async Task A_second_erasure_finds_only_what_came_since_and_both_are_vouched_for()
    {
        await EraseAsync();
        (await EraseAsync()).ShouldBeNull();
        await _log.AppendAsync(new DialFailed(Own4, Erased, MeshError.Unreachable, ""));

        AuditErasure second = (await EraseAsync()).ShouldNotBeNull();

        second.Events.ShouldBe(1);
        AuditReport report = await _log.VerifyAsync();
        report.Findings.ShouldBeEmpty();
        report.Erasures.Count.ShouldBe(2);
    }

    [Fact]
    public async Task A_change_of_an_erased_event_is_found()
    {
        await EraseAsync();
        await _log.TamperAsync("update {s}.mt_events set data = jsonb_set(data, '{endpoint}', '\"[100::1]:4433\"') where {at} = $1", 2L);

        Problems(await _log.VerifyAsync()).ShouldBe([(AuditProblem.ForgedErasure, 2)]);
    }

    [Fact]
    public async Task A_change_that_calls_itself_an_erasure_is_found()
    {
        AuditErasure erasure = (await EraseAsync()).ShouldNotBeNull();
        long place = _log.Last - 2;
        await Forger.EraseAsync(postgres, _log, place, "{\"reason\":\"nothing happened\"}", erasure.Place);
        Problems(await _log.VerifyAsync()).ShouldBe([(AuditProblem.ForgedErasure, erasure.Place)]);
    }

    [Fact]
    public async Task A_change_that_names_no_erasure_is_found()
    {
        long place = _log.Last - 1;
        await Forger.EraseAsync(postgres, _log, place, "{\"reason\":\"nothing happened\"}", by: _log.Last);

        Problems(await _log.VerifyAsync()).ShouldBe([(AuditProblem.ForgedErasure, _log.Last)]);
    }

    [Fact]
    public async Task An_erasure_whose_events_were_not_changed_is_told()
    {
        (await Should.ThrowAsync<MeshException>(() => _log.Store.Privacy.EraseAsync(
            _log.Node, Erased,
            async (data, _) =>
            {
                await _log.AppendAsync(data);
                throw new MeshException(MeshError.StoreUnavailable, "crash");
            },
            Cancellation))).Error.ShouldBe(MeshError.StoreUnavailable);

        Problems(await _log.VerifyAsync()).ShouldBe([(AuditProblem.ForgedErasure, _log.Last)]);
    }

    private static IEnumerable<(AuditProblem, long?)> Problems(AuditReport report) =>
        report.Findings.Where(finding => finding.Problem != AuditProblem.Projection).Select(finding => (finding.Problem, finding.Place));

    private Task<AuditErasure?> EraseAsync() => _log.Store.Privacy.EraseAsync(
        _log.Node, Erased,
        async (data, _) =>
        {
            long place = await _log.AppendAsync(data);
            return EventStoreSamples.Record(1, place, data)[0];
        },
        Cancellation);

    /// <summary>The tables of the schema in which a text is.</summary>
    private async Task<List<string>> SearchAsync(string text)
    {
        await using var connection = new NpgsqlConnection(postgres.ConnectionString);
        await connection.OpenAsync(Cancellation);
        List<string> tables = [];
        await using (var list = new NpgsqlCommand($"select tablename from pg_tables where schemaname = '{_log.Schema}'", connection))
        {
            await using NpgsqlDataReader reader = await list.ExecuteReaderAsync(Cancellation);
            while (await reader.ReadAsync(Cancellation))
                tables.Add(reader.GetString(0));
        }
        tables.Count.ShouldBeGreaterThan(5);
        List<string> found = [];
        foreach (string table in tables)
        {
            // Not followed by a digit: the neighbour is at 198.51.100.70.
            await using var search = new NpgsqlCommand($"select count(*) from {_log.Schema}.{table} t where t::text ~ ($1 || '([^0-9]|$)')", connection)
            {
                Parameters = { new() { Value = text.Replace(".", "\\.", StringComparison.Ordinal) } },
            };
            if ((long)(await search.ExecuteScalarAsync(Cancellation))! > 0)
                found.Add(table);
        }
        return found;
    }
}
