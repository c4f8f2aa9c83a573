using EventMesh.Events;
using EventMesh.Identity;
using EventMesh.Marten.Projections.Internal;
using EventMesh.Marten.Store.Internal;
using EventMesh.Projections;
using Npgsql;

namespace EventMesh.Marten.Queries.Internal;

internal sealed class FleetQueries(Func<NpgsqlDataSource> source, string schema) : IFleetQueries
{
    public Task<IReadOnlyList<FleetNode>> GetNodesAsync(CancellationToken cancellationToken = default) => ReadAsync(
        "select node_id, identity, agent, state, endpoint, epoch, node_seq, last_at, lag from {0}.fleet order by node_id",
        row => new FleetNode(
            new NodeId(row.GetGuid(0)), Texts.ReadOptional(row, 1) is { } peer ? PeerId.Parse(peer) : null, Texts.ReadOptional(row, 2), row.GetString(3),
            Texts.ReadOptional(row, 4), row.GetInt32(5), row.GetInt64(6), row.GetFieldValue<DateTimeOffset>(7), row.GetInt64(8)),
        cancellationToken);

    public Task<IReadOnlyList<FleetPeer>> GetPeersAsync(CancellationToken cancellationToken = default) => ReadAsync(
        "select node_id, peer, kind, endpoints, agent, joined_at from {0}.peer_directory order by node_id, peer",
        row => new FleetPeer(
            new NodeId(row.GetGuid(0)), PeerId.Parse(row.GetString(1)), Texts.Read<PeerKind>(row, 2), row.GetFieldValue<string[]>(3), row.GetString(4),
            row.GetFieldValue<DateTimeOffset>(5)),
        cancellationToken);

    public Task<IReadOnlyList<FleetCacheEntry>> GetCacheAsync(CancellationToken cancellationToken = default) => ReadAsync(
        "select node_id, peer, endpoints, origin, is_confirmed, failures, last_connected_at from {0}.bootstrap_cache order by node_id, peer",
        row => new FleetCacheEntry(
            new NodeId(row.GetGuid(0)), PeerId.Parse(row.GetString(1)), row.GetFieldValue<string[]>(2), Texts.Read<ConnectionDirection>(row, 3),
            row.GetBoolean(4), row.GetInt32(5), row.GetFieldValue<DateTimeOffset>(6)),
        cancellationToken);

    public Task<IReadOnlyList<FleetDecision>> GetTrustAsync(CancellationToken cancellationToken = default) => ReadAsync(
        "select node_id, kind, subject, peer, reason, decided_by, decided_at, until from {0}.trust_in_force order by node_id, kind, subject",
        row => new FleetDecision(
            new NodeId(row.GetGuid(0)),
            new TrustLedgerEntry(
                Texts.Read<TrustLedgerKind>(row, 1), row.GetString(2), Texts.ReadOptional(row, 3) is { } peer ? PeerId.Parse(peer) : null,
                Texts.ReadOptional(row, 4), Texts.ReadOptional(row, 5), row.GetFieldValue<DateTimeOffset>(6),
                row.IsDBNull(7) ? null : row.GetFieldValue<DateTimeOffset>(7))),
        cancellationToken);

    public async Task<FleetLeader?> GetLeaderAsync(CancellationToken cancellationToken = default)
    {
        IReadOnlyList<FleetLeader> leaders = await ReadAsync(
            "select term, node_id, host, process_id, since, is_leading from {0}.projection_leader",
            row => new FleetLeader(
                row.GetInt64(0), new NodeId(row.GetGuid(1)), row.GetString(2), row.GetInt32(3), row.GetFieldValue<DateTimeOffset>(4), row.GetBoolean(5)),
            cancellationToken).ConfigureAwait(false);
        return leaders.Count > 0 ? leaders[0] : null;
    }

    private async Task<IReadOnlyList<T>> ReadAsync<T>(string text, Func<NpgsqlDataReader, T> read, CancellationToken cancellationToken)
    {
        try
        {
            NpgsqlConnection connection = await source().OpenConnectionAsync(cancellationToken).ConfigureAwait(false);
            await using (connection.ConfigureAwait(false))
            {
                string sql = $"{text.Replace("{0}", schema, StringComparison.Ordinal)} limit {IFleetQueries.MaxRows}";
                return await Sql.QueryAsync(Sql.Command(connection, sql), read, cancellationToken).ConfigureAwait(false);
            }
        }
        catch (Exception exception) when (exception is not (MeshException or OperationCanceledException or ArgumentException))
        {
            throw StoreErrors.Translate(exception, "answer a query");
        }
    }
}
