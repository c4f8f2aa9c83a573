using System.Globalization;
using EventMesh.Events;
using EventMesh.Identity;
using EventMesh.Marten.Queries;
using EventMesh.Marten.Store;
using EventMesh.Marten.Tests.Fixture;
using EventMesh.Projections;
using Shouldly;
using Xunit;

namespace EventMesh.Marten.Tests.Projections;

/// <summary>
/// For random logs the pure fold, the live projection, the rebuilt projection and the query as of every position agree, for every projection there is.
/// EVENTMESH_PROPERTY_SEED repeats a run, EVENTMESH_PROPERTY_EVENTS makes it longer.
/// </summary>
public sealed class ProjectionPropertyTests(PostgresFixture postgres) : ProjectionTestBase(postgres)
{
    [Fact]
    public async Task Fold_live_rebuilt_and_as_of_every_position_agree()
    {
        int seed = Setting("EVENTMESH_PROPERTY_SEED", Random.Shared.Next());
        int length = Setting("EVENTMESH_PROPERTY_EVENTS", 50);
        TestContext.Current.TestOutputHelper!.WriteLine($"EVENTMESH_PROPERTY_SEED={seed}");
        var log = new RandomLog(Node, seed);
        var model = new Model();
        List<string> expected = [];
        while (log.Events.Count < length)
        {
            RecordedEvent[] batch = log.Next();
            if (batch[0].Data is NodeStarted)
                await Store.ClaimEpochAsync(Node, batch[0], Cancellation);
            else
                await Store.AppendAsync(Node, batch, Cancellation);
            foreach (RecordedEvent recorded in batch)
            {
                model.Apply(recorded);
                expected.Add(model.Describe(recorded.Time));
            }
            // Live, wherever the pages of the projections happen to end.
            if (log.Events.Count % 5 == 0)
            {
                await WaitAsync(Node);
                (await DescribeAsync(null, log.Events[^1].Time)).ShouldBe(expected[^1], $"now, at place {expected.Count}, seed {seed}");
            }
        }
        await WaitAsync(Node);
        await ShouldAgreeAsync(log, expected, $"live, seed {seed}");
        Dictionary<string, List<string>> rows = await RowsAsync();

        foreach (ProjectionStatus projection in await Store.Queries.GetProjectionsAsync(Node, Cancellation))
            await Store.Queries.RebuildAsync(projection.Name, Cancellation);

        await ShouldAgreeAsync(log, expected, $"rebuilt, seed {seed}");
        foreach ((string view, List<string> after) in await RowsAsync())
            after.ShouldBe(rows[view], $"{view} rebuilt, seed {seed}");
    }

    private static int Setting(string name, int other) =>
        int.TryParse(Environment.GetEnvironmentVariable(name), CultureInfo.InvariantCulture, out int value) ? value : other;

    private async Task ShouldAgreeAsync(RandomLog log, List<string> expected, string when)
    {
        for (int i = 0; i < expected.Count; i++)
            (await DescribeAsync(log.Events[i].Time, log.Events[i].Time)).ShouldBe(expected[i], $"as of place {i + 1}, {when}");
    }

    /// <summary>What the queries say at a time, or now; a new projection that is not described here fails.</summary>
    private async Task<string> DescribeAsync(DateTimeOffset? at, DateTimeOffset now)
    {
        IMeshQueries queries = Store.Queries;
        HistoryPage<BootstrapCacheEntry> cache = await queries.FindCacheEntriesAsync(Node, new HistoryFilter { At = at, Limit = 1000 }, Cancellation);
        HistoryPage<JoinedPeer> peers = await queries.FindPeersAsync(Node, new HistoryFilter { At = at, Limit = 1000 }, Cancellation);
        HistoryPage<ConnectionRecord> connections = await queries.FindConnectionsAsync(Node, new ConnectionFilter { OpenAt = at ?? now, Limit = 1000 }, Cancellation);
        HistoryPage<TrustLedgerEntry> trust = await queries.FindTrustAsync(Node, now, Cancellation);
        NodeRun? run = await queries.GetNodeAsync(Node, at, Cancellation);
        MeshTopology topology = await queries.FindTopologyAsync(Node, at, Cancellation);
        foreach (HistoryPoint point in new[] { cache.AsOf, peers.AsOf, connections.AsOf, trust.AsOf, topology.AsOf[Node] })
            (point.IsComplete, point.Time).ShouldBe((true, now));
        return Text(
            cache.Items, peers.Items, connections.Items.Select(c => new OpenConnection(c.Connection, c.Peer, c.Remote, c.Direction, c.OpenedAt)), trust.Items, run,
            topology.Edges.Select(edge => (edge.Peer, edge.Kind, edge.JoinedAt)));
    }

    private static string Text(
        IEnumerable<BootstrapCacheEntry> cache, IEnumerable<JoinedPeer> peers, IEnumerable<OpenConnection> connections, IEnumerable<TrustLedgerEntry> trust, NodeRun? run,
        IEnumerable<(PeerId Peer, PeerKind Kind, DateTimeOffset JoinedAt)> edges) =>
        string.Join('\n',
        [
            .. cache.Select(e => FormattableString.Invariant(
                $"cache {e.Peer} {string.Join(',', e.Endpoints)} {Convert.ToHexString(e.Certificate)} {e.Origin} {e.AddedAt:O} {e.LastConnectedAt:O} {e.IsConfirmed} {e.Failures} {e.LastFailedAt:O}"))
                .Order(StringComparer.Ordinal),
            .. peers.Select(p => FormattableString.Invariant($"peer {p.Peer} {p.Instance} {p.Kind} {string.Join(',', p.Endpoints)} {p.Agent} {p.JoinedAt:O}")).Order(StringComparer.Ordinal),
            .. connections.Select(c => FormattableString.Invariant($"connection {c.Connection} {c.Peer} {c.Remote} {c.Direction} {c.OpenedAt:O}")).Order(StringComparer.Ordinal),
            .. trust.Select(t => FormattableString.Invariant($"trust {t.Kind} {t.Subject} {t.Peer} {t.Reason} {t.By} {t.At:O} {t.Until:O}")).Order(StringComparer.Ordinal),
            FormattableString.Invariant($"node {run?.Epoch} {run?.Instance} {run?.Identity} {run?.Kind} {run?.Agent} {run?.Reachability} {run?.Endpoint} {run?.StartedAt:O} {run?.StoppedAt:O} {run?.StopReason}"),
            .. edges.Select(e => FormattableString.Invariant($"edge {e.Peer} {e.Kind} {e.JoinedAt:O}")).Order(StringComparer.Ordinal),
        ]);

    private async Task<Dictionary<string, List<string>>> RowsAsync()
    {
        var rows = new Dictionary<string, List<string>>(StringComparer.Ordinal);
        foreach (string view in new[]
            { "bootstrap_cache_history", "peer_directory_history", "connection_history", "trust_ledger", "node_status_history", "mesh_topology_history" })
            rows[view] = await QueryAsync($"select v::text from {{schema}}.{view} v where node_id = '{Node}' order by v::text collate \"C\"");
        // A projection that nobody compares here would be a hole that nobody sees.
        (await Store.Queries.GetProjectionsAsync(Node, Cancellation)).Select(projection => projection.Name)
            .ShouldBe(rows.Keys.Select(view => view is "connection_history" ? view : view.Replace("_history", "", StringComparison.Ordinal)), ignoreOrder: true);
        return rows;
    }

    /// <summary>The pure folds, event by event.</summary>
    private sealed class Model
    {
        private readonly Dictionary<(TrustLedgerKind Kind, string Subject), TrustLedgerEntry> _trust = [];
        private MeshState _state = MeshState.Empty;
        private NodeRun? _run;

        public void Apply(RecordedEvent recorded)
        {
            _state = MeshState.Apply(_state, recorded);
            _run = NodeRun.Apply(_run, recorded);
            foreach ((TrustLedgerKind kind, string subject) in TrustLedgerEntry.ConcernedBy(recorded.Data))
            {
                if (TrustLedgerEntry.Apply(kind, subject, _trust.GetValueOrDefault((kind, subject)), recorded) is { IsAct: false } entry)
                    _trust[(kind, subject)] = entry;
                else
                    _trust.Remove((kind, subject));
            }
        }

        public string Describe(DateTimeOffset now)
        {
            TrustLedgerEntry[] trust = [.. _trust.Values.Where(entry => entry.Until is not { } until || now < until)];
            // The ledger's own fold and that of the node's memory are two: they have to say the same.
            trust.Where(entry => entry.Kind is not (TrustLedgerKind.Succession or TrustLedgerKind.Dispute)).Select(entry => entry.ToString()).Order(StringComparer.Ordinal)
                .ShouldBe(TrustLedgerEntry.AllIn(_state.Trust).Where(entry => entry.Until is not { } until || now < until).Select(entry => entry.ToString())
                    .Order(StringComparer.Ordinal));
            return Text(
                _state.Cache.Entries.Values, _state.Peers.Joined.Values, _state.Connections.Open.Values, trust, _run,
                _state.Peers.Joined.Values.Select(peer => (peer.Peer, peer.Kind, peer.JoinedAt)));
        }
    }
}
