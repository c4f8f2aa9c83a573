using EventMesh.Identity;
using EventMesh.Marten.Projections.Internal;
using EventMesh.Marten.Store.Internal;
using EventMesh.Projections;

namespace EventMesh.Marten.Queries.Internal;

/// <content>The trust ledger and the topology as of a time, with the places that they stand on.</content>
internal sealed partial class MartenQueries
{
    public Task<HistoryPage<TrustLedgerEntry>> FindTrustAsync(NodeId node, DateTimeOffset at, CancellationToken cancellationToken = default)
    {
        TrustLedgerProjection projection = Projection<TrustLedgerProjection>();
        return RunAsync(
            async connection =>
            {
                HistoryPoint asOf = await PointAsync(connection, node, projection, at, null, cancellationToken).ConfigureAwait(false);
                List<TrustLedgerEntry> entries = asOf.Time is { } time
                    ? await projection.QueryAsync(connection, node.Value, time, cancellationToken).ConfigureAwait(false)
                    : [];
                // Between the last event and the time itself a timed block may have come to its end.
                IEnumerable<TrustLedgerEntry> inForce = entries.Where(entry => entry.Until is not { } until || until > at)
                    .OrderBy(entry => entry.Kind).ThenBy(entry => entry.Subject, StringComparer.Ordinal);
                return new HistoryPage<TrustLedgerEntry>([.. inForce], asOf, null);
            },
            cancellationToken);
    }

    public Task<MeshTopology> FindTopologyAsync(NodeId? node, DateTimeOffset? at = null, CancellationToken cancellationToken = default)
    {
        MeshTopologyProjection projection = Projection<MeshTopologyProjection>();
        return RunAsync(
            async connection =>
            {
                List<NodeId> nodes = node is { } only
                    ? [only]
                    : await Sql.QueryAsync(
                        Sql.Command(connection, $"select tenant_id from {session().Tables.Nodes} order by tenant_id"),
                        row => new NodeId(Guid.Parse(row.GetString(0))), cancellationToken).ConfigureAwait(false);
                var edges = new List<MeshEdge>();
                var points = new Dictionary<NodeId, HistoryPoint>();
                foreach (NodeId each in nodes)
                {
                    HistoryPoint asOf = await PointAsync(connection, each, projection, at, null, cancellationToken).ConfigureAwait(false);
                    points.Add(each, asOf);
                    if (asOf.Time is { } time)
                        edges.AddRange(await projection.QueryEdgesAsync(connection, each.Value, time, cancellationToken).ConfigureAwait(false));
                }
                return new MeshTopology(edges, points);
            },
            cancellationToken);
    }
}
