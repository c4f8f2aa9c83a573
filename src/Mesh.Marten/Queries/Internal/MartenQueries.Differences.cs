using EventMesh.Events;
using EventMesh.Identity;
using EventMesh.Journal;
using EventMesh.Marten.Projections.Internal;
using EventMesh.Marten.Store.Internal;
using EventMesh.Projections;
using Npgsql;

namespace EventMesh.Marten.Queries.Internal;

/// <content>What differs between two times, and each change between them.</content>
internal sealed partial class MartenQueries
{
    private static readonly string[] ChangeNames = [.. MeshChanges.EventTypes.Select(type => EventRegistry.Default.Get(type).WireName)];

    public Task<MeshDifference> GetDifferenceAsync(
        NodeId node, DateTimeOffset from, DateTimeOffset to, CancellationToken cancellationToken = default)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(from, to);
        return RunAsync(
            async connection =>
            {
                HistoryPoint first = await PointOfAllAsync(connection, node, from, cancellationToken).ConfigureAwait(false);
                HistoryPoint last = await PointOfAllAsync(connection, node, to, cancellationToken).ConfigureAwait(false);
                MeshState before = await StateAsync(connection, node, first, cancellationToken).ConfigureAwait(false);
                MeshState after = await StateAsync(connection, node, last, cancellationToken).ConfigureAwait(false);
                // What ended is what stood and came, without what stands: places are numbered by where connections began.
                long opened = await CountOpenedAsync(connection, node, first, last, cancellationToken).ConfigureAwait(false);
                long stood = await CountStandingAsync(connection, node, first, cancellationToken).ConfigureAwait(false);
                long stands = await CountStandingAsync(connection, node, last, cancellationToken).ConfigureAwait(false);
                return new MeshDifference(first, last, MeshChanges.Between(before, from, after, to), opened, stood + opened - stands);
            },
            cancellationToken);
    }

    public Task<HistoryPage<MeshChange>> GetChangesAsync(NodeId node, ChangeFilter filter, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(filter);
        ArgumentOutOfRangeException.ThrowIfLessThan(filter.Limit, 1, nameof(filter));
        ArgumentOutOfRangeException.ThrowIfGreaterThan(filter.Limit, 1000, nameof(filter));
        string query = $"changes {node}";
        PageCursor? cursor = PageCursor.Read(filter.After, query);
        return RunAsync(
            async connection =>
            {
                string tenant = LogReader.Tenant(node);
                var clock = new LogClock(session().Tables);
                LogPosition end = await session().Reader.GetPositionAsync(connection, tenant, cancellationToken).ConfigureAwait(false);
                long upTo = cursor?.Seq ?? (filter.To is { } to ? await clock.PlaceAtAsync(connection, tenant, to, cancellationToken).ConfigureAwait(false) : end.NodeSeq);
                long after = cursor?.Key ?? (filter.From is { } from ? await clock.PlaceAtAsync(connection, tenant, from, cancellationToken).ConfigureAwait(false) : 0);
                List<RecordedEvent> events = await session().Reader.ReadPageAsync(
                    connection, tenant, after, upTo, LogFilter.Only(ChangeNames), cancellationToken).ConfigureAwait(false);
                MeshChange[] changes = [.. events.Take(filter.Limit).Select(MeshChanges.Of).OfType<MeshChange>()];
                bool isLast = events.Count <= filter.Limit && events.Count < LogReader.PageSize;
                return new HistoryPage<MeshChange>(
                    changes, new HistoryPoint(upTo, upTo, await clock.TimeOfAsync(connection, tenant, upTo, cancellationToken).ConfigureAwait(false), end.NodeSeq),
                    isLast ? null : new PageCursor(upTo, upTo, changes[^1].Seq!.Value, "").Write(query));
            },
            cancellationToken);
    }

    /// <summary>What all projections of a state together can stand on.</summary>
    private async Task<HistoryPoint> PointOfAllAsync(NpgsqlConnection connection, NodeId node, DateTimeOffset at, CancellationToken cancellationToken)
    {
        HistoryPoint peers = await PointAsync(connection, node, Projection<PeerDirectoryProjection>(), at, null, cancellationToken).ConfigureAwait(false);
        HistoryPoint connections = await PointAsync(connection, node, Projection<ConnectionHistoryProjection>(), at, null, cancellationToken).ConfigureAwait(false);
        HistoryPoint cache = await PointAsync(connection, node, Projection<BootstrapCacheProjection>(), at, null, cancellationToken).ConfigureAwait(false);
        return new[] { peers, connections, cache }.MinBy(point => point.FoldedSeq)! with { Seq = cache.Seq };
    }

    private Task<long> CountOpenedAsync(
        NpgsqlConnection connection, NodeId node, HistoryPoint after, HistoryPoint upTo, CancellationToken cancellationToken) => Sql.ScalarAsync<long>(
        connection,
        $"select count(*) from {session().Tables.Schema}.{Projection<ConnectionHistoryProjection>().Name} where node_id = $1 and opened_seq > $2 and opened_seq <= $3",
        cancellationToken, node.Value, after.FoldedSeq, upTo.FoldedSeq);

    // Those that stand now and those that have ended since have an index each.
    private async Task<long> CountStandingAsync(NpgsqlConnection connection, NodeId node, HistoryPoint point, CancellationToken cancellationToken)
    {
        if (point.Time is not { } time)
            return 0;
        string view = $"{session().Tables.Schema}.{Projection<ConnectionHistoryProjection>().Name}";
        return await Sql.ScalarAsync<long>(
            connection,
            $"""
            select (select count(*) from {view} where node_id = $1 and closed_at is null and opened_at <= $2)
                + (select count(*) from {view} where node_id = $1 and closed_at is not null and {session().Tables.Schema}.holds_at(opened_at, closed_at, $2))
            """,
            cancellationToken, node.Value, time.ToUniversalTime()).ConfigureAwait(false);
    }

    /// <summary>
    /// What the node knew of peers, cache and trust at a place. Trust is folded from its own stream: what operators decide is little, and what limits decide has
    /// an end.
    /// </summary>
    private async Task<MeshState> StateAsync(NpgsqlConnection connection, NodeId node, HistoryPoint point, CancellationToken cancellationToken)
    {
        if (point.Time is not { } time)
            return MeshState.Empty;
        List<JoinedPeer> peers = await Projection<PeerDirectoryProjection>().QueryAsync(connection, node.Value, time, cancellationToken).ConfigureAwait(false);
        List<BootstrapCacheEntry> cache = await Projection<BootstrapCacheProjection>().QueryAsync(connection, node.Value, time, cancellationToken)
            .ConfigureAwait(false);
        // The table of events alone has all of it: months leave it, and trust has none (SegmentArchive moves streams of peers and cache only).
        List<RecordedEvent> trust = await Sql.QueryAsync(
            Sql.Command(
                connection,
                $"""
                select {LogReader.Columns} from {session().Tables.Events}
                where tenant_id = $1 and stream_id = 'trust' and type <> 'trust.certificate-accepted.v1' and {LogTables.Place} <= $2 order by version
                """,
                LogReader.Tenant(node), point.FoldedSeq),
            session().Reader.Read, cancellationToken).ConfigureAwait(false);
        return MeshState.Empty with
        {
            Peers = new(PeerDirectoryState.Empty.Joined.AddRange(peers.Select(peer => KeyValuePair.Create(peer.Peer, peer)))),
            Cache = new(BootstrapCacheState.Empty.Entries.AddRange(cache.Select(entry => KeyValuePair.Create(entry.Peer, entry)))),
            Trust = trust.Aggregate(TrustState.Empty, TrustState.Apply),
        };
    }
}
