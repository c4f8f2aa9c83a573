using System.Net;
using EventMesh.Events;
using EventMesh.Identity;
using EventMesh.Marten.Projections.Internal;
using EventMesh.Marten.Store.Internal;
using EventMesh.Projections;
using Npgsql;
using NpgsqlTypes;

namespace EventMesh.Marten.Queries.Internal;

internal sealed class MartenQueries(Func<StoreSession> session) : IMeshQueries
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

    public Task<IReadOnlyList<ConnectionRecord>> GetConnectionsAsync(NodeId node, ConnectionFilter filter, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(filter);
        ArgumentOutOfRangeException.ThrowIfLessThan(filter.Limit, 1, nameof(filter));
        ArgumentOutOfRangeException.ThrowIfGreaterThan(filter.Limit, 1000, nameof(filter));
        return RunAsync<IReadOnlyList<ConnectionRecord>>(
            async connection => await ReadConnectionsAsync(connection, node, filter, cancellationToken).ConfigureAwait(false), cancellationToken);
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
                foreach (LogProjection projection in session().Projections)
                    all.Add(await projection.GetStatusAsync(connection, LogReader.Tenant(node), cancellationToken).ConfigureAwait(false));
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
            cancellationToken);
    }

    private Task<List<ConnectionRecord>> ReadConnectionsAsync(
        NpgsqlConnection connection, NodeId node, ConnectionFilter filter, CancellationToken cancellationToken)
    {
        string text =
            $"""
            select connection, peer, remote, direction, opened_at, opened_seq, closed_at, reason, bytes_sent, bytes_received, messages_sent,
                messages_received
            from {session().Tables.Schema}.connection_history
            where node_id = $1 and ($2 is null or peer = $2) and ($3 is null or opened_seq < $3)
                and ($4 is null or (opened_at <= $4 and (closed_at is null or closed_at > $4)))
            order by opened_seq desc
            limit $5
            """;
        NpgsqlCommand command = Sql.Command(
            connection, text, node.Value, Optional(filter.Peer?.ToString(), NpgsqlDbType.Text), Optional(filter.Before, NpgsqlDbType.Bigint),
            Optional(filter.OpenAt?.ToUniversalTime(), NpgsqlDbType.TimestampTz), filter.Limit);
        return Sql.QueryAsync(command, ReadConnection, cancellationToken);
    }

    private static NpgsqlParameter Optional(object? value, NpgsqlDbType type) => new() { Value = value ?? DBNull.Value, NpgsqlDbType = type };

    private static ConnectionRecord ReadConnection(NpgsqlDataReader reader)
    {
        ConnectionEnd? end = reader.IsDBNull(6)
            ? null
            : new(
                reader.GetFieldValue<DateTimeOffset>(6), Texts.Read<CloseReason>(reader, 7), reader.GetInt64(8), reader.GetInt64(9), reader.GetInt64(10),
                reader.GetInt64(11));
        return new(
            reader.GetGuid(0), PeerId.Parse(reader.GetString(1)), IPEndPoint.Parse(reader.GetString(2)), Texts.Read<ConnectionDirection>(reader, 3),
            reader.GetFieldValue<DateTimeOffset>(4), reader.GetInt64(5), end);
    }

    private T Projection<T>()
        where T : LogProjection => session().Projections.OfType<T>().Single();

    private async Task<T> RunAsync<T>(Func<NpgsqlConnection, Task<T>> query, CancellationToken cancellationToken)
    {
        try
        {
            NpgsqlConnection connection = await session().Source.OpenConnectionAsync(cancellationToken).ConfigureAwait(false);
            await using (connection.ConfigureAwait(false))
                return await query(connection).ConfigureAwait(false);
        }
        catch (Exception exception) when (exception is not (MeshException or OperationCanceledException or ArgumentException))
        {
            throw StoreErrors.Translate(exception, "answer a query");
        }
    }
}
