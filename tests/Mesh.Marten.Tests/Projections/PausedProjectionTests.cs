using EventMesh.Conformance;
using EventMesh.Events;
using EventMesh.Identity;
using EventMesh.Journal;
using EventMesh.Marten.Queries;
using EventMesh.Marten.Store;
using EventMesh.Marten.Tests.Fixture;
using Shouldly;
using Xunit;

namespace EventMesh.Marten.Tests.Projections;

/// <summary>A projection that can't go on says so and skips nothing; a program leaves to a newer one what that has made.</summary>
public sealed class PausedProjectionTests(PostgresFixture postgres) : ProjectionTestBase(postgres)
{
    private static readonly PeerTrusted Trusted = new(EventStoreSamples.Peer(1), "friend", "root");
    private readonly SignalLog _log = new();

    [Fact]
    public async Task An_event_of_an_unknown_type_pauses_with_its_name_as_the_reason_until_it_is_known()
    {
        await AppendAsync(Node);
        await WaitAsync(Node);
        RecordedEvent[] unknown = EventStoreSamples.Record(1, NextOf(Node), Trusted, Trusted with { Reason = "later" });
        // In one transaction with its appearance, so that nobody reads it as what it was.
        await ExecuteAsync("create function {schema}.rename() returns trigger language plpgsql as 'begin new.type = ''trust.peer-adored.v7''; return new; end'");
        await ExecuteAsync(
            $"create trigger rename before insert on {{schema}}.mt_events for each row when (new.id = '{unknown[0].Id}') execute function {{schema}}.rename()");
        await AppendAsync(Node, unknown);

        ProjectionStatus paused = await UntilAsync("trust_ledger", status => status.State == ProjectionState.Paused);

        paused.PausedReason.ShouldNotBeNull().ShouldContain("'trust.peer-adored.v7', which this program does not know");
        paused.PausedAt.ShouldNotBeNull();
        paused.Lag.ShouldBe(2);
        paused.LagTime.ShouldBeGreaterThanOrEqualTo(TimeSpan.Zero);
        (await QueryAsync("select count(*) from {schema}.trust_ledger")).ShouldBe(["0"], "it has not gone past it");
        (await QueryAsync("select paused_reason from {schema}.projection_position where name = 'trust_ledger'")).ShouldBe([paused.PausedReason]);

        await ExecuteAsync($"update {{schema}}.mt_events set type = 'trust.peer-trusted.v1' where id = '{unknown[0].Id}'");
        ProjectionStatus again = await UntilAsync("trust_ledger", status => status.State == ProjectionState.Following && status.Lag == 0);

        again.PausedReason.ShouldBeNull();
        (await QueryAsync("select reason from {schema}.trust_ledger order by from_seq")).ShouldBe(["friend", "later"]);
    }

    [Fact]
    public async Task A_program_leaves_the_projections_of_a_newer_schema_alone()
    {
        await AppendAsync(Node);
        await WaitAsync(Node);
        await Store.DisposeAsync();
        Store = new MartenEventStore(
            new MeshStoreOptions { ConnectionString = Postgres.ConnectionString, Schema = Schema }, EventRegistry.Default, TimeProvider.System, _log);
        await Store.OpenAsync(Node, "", Cancellation);
        await ExecuteAsync("update {schema}.schema_version set version = version + 1");
        await AppendAsync(Node, Trusted);

        (await _log.NextAsync("ProjectionsStopped", Cancellation)).ShouldContain("a newer program made it");

        (await QueryAsync("select count(*) from {schema}.trust_ledger")).ShouldBe(["0"]);
        (await QueryAsync("select count(*) from pg_locks where locktype = 'advisory' and granted and ((classid::bigint << 32) | objid::bigint) = hashtextextended('{schema}.projections', 0)"))
            .ShouldBe(["0"], "a newer program can lead");
        (await Should.ThrowAsync<MeshException>(() => Store.Queries.RebuildAsync("trust_ledger", Cancellation))).Error.ShouldBe(MeshError.StoreIncompatible);
        await ExecuteAsync("update {schema}.schema_version set version = version - 1");
        await WaitAsync(Node);
        (await QueryAsync("select count(*) from {schema}.trust_ledger")).ShouldBe(["1"]);
    }

    [Fact]
    public async Task A_table_that_a_newer_program_has_made_is_not_written_to()
    {
        await AppendAsync(Node);
        await WaitAsync(Node);
        await ExecuteAsync("update {schema}.projection set made_by = made_by + 1 where name = 'trust_ledger'");
        await AppendAsync(Node, Trusted, new PeerJoined(EventStoreSamples.Peer(1), Guid.NewGuid(), PeerKind.Node, [], "a"));

        ProjectionStatus paused = await UntilAsync("trust_ledger", status => status.State == ProjectionState.Paused);

        paused.PausedReason.ShouldNotBeNull().ShouldContain("A newer program has made the tables");
        (await QueryAsync("select count(*) from {schema}.trust_ledger")).ShouldBe(["0"]);
        await WaitAsync(Node, "trust_ledger");
        (await Store.Queries.GetPeersAsync(Node, null, Cancellation)).Count.ShouldBe(1);
        (await Should.ThrowAsync<MeshException>(() => Store.Queries.RebuildAsync("trust_ledger", Cancellation))).Error.ShouldBe(MeshError.StoreIncompatible);
    }

    private Task<ProjectionStatus> UntilAsync(string name, Func<ProjectionStatus, bool> isSo) => Eventually.FindsAsync(
        async token => (ProjectionStatus?)(await Store.Queries.GetProjectionsAsync(Node, token)).Single(projection => projection.Name == name), isSo);
}
