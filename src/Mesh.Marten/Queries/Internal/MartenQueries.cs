using EventMesh.Identity;
using EventMesh.Marten.Projections.Internal;
using EventMesh.Marten.Store.Internal;
using EventMesh.Projections;
using Npgsql;

namespace EventMesh.Marten.Queries.Internal;

internal sealed partial class MartenQueries(Func<StoreSession> session) : IMeshQueries
{
    public async Task<IReadOnlyList<BootstrapCacheEntry>> GetCacheAsync(NodeId node, DateTimeOffset? at = null, CancellationToken cancellationToken = default)
    {
        List<BootstrapCacheEntry> entries = await RunAsync(
            connection => Projection<BootstrapCacheProjection>().QueryAsync(connection, node.Value, at, cancellationToken), cancellationToken)
            .ConfigureAwait(false);
        return [.. entries.OrderByDescending(entry => entry.LastConnectedAt).ThenBy(entry => entry.Peer)];
    }

    public async Task<IReadOnlyList<JoinedPeer>> GetPeersAsync(NodeId node, DateTimeOffset? at = null, CancellationToken cancellationToken = default)
    {
        List<JoinedPeer> peers = await RunAsync(
            connection => Projection<PeerDirectoryProjection>().QueryAsync(connection, node.Value, at, cancellationToken), cancellationToken)
            .ConfigureAwait(false);
        return [.. peers.OrderBy(peer => peer.Peer)];
    }

    public async Task<IReadOnlyList<TrustLedgerEntry>> GetTrustAsync(NodeId node, DateTimeOffset? at = null, CancellationToken cancellationToken = default)
    {
        List<TrustLedgerEntry> entries = await RunAsync(
            connection => Projection<TrustLedgerProjection>().QueryAsync(connection, node.Value, at, cancellationToken), cancellationToken)
            .ConfigureAwait(false);
        return [.. entries.OrderBy(entry => entry.Kind).ThenBy(entry => entry.Subject, StringComparer.Ordinal)];
    }

    public async Task<NodeRun?> GetNodeAsync(NodeId node, DateTimeOffset? at = null, CancellationToken cancellationToken = default)
    {
        List<NodeRun> runs = await RunAsync(
            connection => Projection<NodeStatusProjection>().QueryAsync(connection, node.Value, at, cancellationToken), cancellationToken)
            .ConfigureAwait(false);
        return runs.SingleOrDefault();
    }

    public async Task<IReadOnlyList<MeshEdge>> GetTopologyAsync(NodeId? node, DateTimeOffset? at = null, CancellationToken cancellationToken = default) =>
        await RunAsync(
            connection => Projection<MeshTopologyProjection>().QueryEdgesAsync(connection, node?.Value, at, cancellationToken), cancellationToken)
            .ConfigureAwait(false);

    public Task<IReadOnlyList<ProjectionStatus>> GetProjectionsAsync(NodeId node, CancellationToken cancellationToken = default) =>
        RunAsync<IReadOnlyList<ProjectionStatus>>(
            async connection =>
            {
                var all = new List<ProjectionStatus>();
                var status = new ProjectionStatusReader(session().Tables);
                foreach (LogProjection projection in session().Projections)
                    all.Add(await status.ReadAsync(connection, projection, LogReader.Tenant(node), cancellationToken).ConfigureAwait(false));
                return all;
            },
            cancellationToken);

    public Task RebuildAsync(string projection, CancellationToken cancellationToken = default)
    {
        LogProjection found = session().Projections.FirstOrDefault(candidate => candidate.Name == projection)
            ?? throw new ArgumentException($"There is no projection '{projection}'.", nameof(projection));
        return RunAsync(
            async connection =>
            {
                await new ProjectionRebuild(found, session().Tables).RunAsync(connection, cancellationToken).ConfigureAwait(false);
                return true;
            },
            cancellationToken, session().Source);
    }

    private T Projection<T>()
        where T : LogProjection => session().Projections.OfType<T>().Single();

    private async Task<T> RunAsync<T>(
        Func<NpgsqlConnection, Task<T>> query, CancellationToken cancellationToken, NpgsqlDataSource? source = null)
    {
        try
        {
            NpgsqlConnection connection = await (source ?? session().QuerySource).OpenConnectionAsync(cancellationToken).ConfigureAwait(false);
            await using (connection.ConfigureAwait(false))
                return await query(connection).ConfigureAwait(false);
        }
        catch (Exception exception) when (exception is not (MeshException or OperationCanceledException or ArgumentException))
        {
            throw StoreErrors.Translate(exception, "answer a query");
        }
    }
}
