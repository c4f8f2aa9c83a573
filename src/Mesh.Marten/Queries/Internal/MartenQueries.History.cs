using EventMesh.Identity;
using EventMesh.Journal;
using EventMesh.Marten.Projections.Internal;
using EventMesh.Marten.Store.Internal;
using EventMesh.Projections;
using Npgsql;

namespace EventMesh.Marten.Queries.Internal;

/// <content>Answers as of a time, with the place that they stand on.</content>
internal sealed partial class MartenQueries
{
    public Task<HistoryPage<JoinedPeer>> FindPeersAsync(NodeId node, HistoryFilter filter, CancellationToken cancellationToken = default) =>
        FindAsync(node, Projection<PeerDirectoryProjection>(), filter, peer => (peer.JoinedAt, peer.Peer), cancellationToken);

    public Task<HistoryPage<BootstrapCacheEntry>> FindCacheEntriesAsync(
        NodeId node, HistoryFilter filter, CancellationToken cancellationToken = default) =>
        FindAsync(node, Projection<BootstrapCacheProjection>(), filter, entry => (entry.LastConnectedAt, entry.Peer), cancellationToken);

    public Task<long> FindPlaceAsync(NodeId node, DateTimeOffset at, CancellationToken cancellationToken = default) => RunAsync(
        connection => new LogClock(session().Tables).PlaceAtAsync(connection, LogReader.Tenant(node), at, cancellationToken), cancellationToken);

    /// <summary>A node has few entries at any one time (200 in the cache): all are read, and filtered, sorted and cut here.</summary>
    private Task<HistoryPage<T>> FindAsync<T>(
        NodeId node, IntervalProjection<PeerId, T> projection, HistoryFilter filter, Func<T, (DateTimeOffset At, PeerId Peer)> key,
        CancellationToken cancellationToken)
        where T : class
    {
        ArgumentNullException.ThrowIfNull(filter);
        ArgumentOutOfRangeException.ThrowIfLessThan(filter.Limit, 1, nameof(filter));
        ArgumentOutOfRangeException.ThrowIfGreaterThan(filter.Limit, 1000, nameof(filter));
        string query = $"{projection.Name} {node} {filter with { After = null, Limit = 1, At = null }}";
        PageCursor? cursor = PageCursor.Read(filter.After, query);
        return RunAsync(
            async connection =>
            {
                HistoryPoint asOf = await PointAsync(connection, node, projection, filter.At, cursor, cancellationToken).ConfigureAwait(false);
                // As of the time of a place that is folded: what the projection does meanwhile does not change that answer.
                List<T> all = asOf.Time is { } time
                    ? await projection.QueryAsync(connection, node.Value, time, cancellationToken).ConfigureAwait(false)
                    : [];
                return HistoryPages.Cut(all, key, filter, query, asOf, cursor);
            },
            cancellationToken);
    }

    /// <summary>What an answer stands on: the last place at a time, or the end of the log, as far as the projection has come.</summary>
    /// <param name="connection">The connection.</param>
    /// <param name="node">The node.</param>
    /// <param name="projection">The projection that answers.</param>
    /// <param name="at">The time; null for now.</param>
    /// <param name="cursor">What an earlier page of the answer stood on, and this one stands on too, whatever the time; null for the first page.</param>
    /// <param name="cancellationToken">Ends the query.</param>
    private async Task<HistoryPoint> PointAsync(
        NpgsqlConnection connection, NodeId node, LogProjection projection, DateTimeOffset? at, PageCursor? cursor, CancellationToken cancellationToken)
    {
        string tenant = LogReader.Tenant(node);
        var clock = new LogClock(session().Tables);
        LogPosition end = await session().Reader.GetPositionAsync(connection, tenant, cancellationToken).ConfigureAwait(false);
        if (cursor is { } earlier)
            return await PointOfAsync(earlier.Seq, earlier.FoldedSeq).ConfigureAwait(false);
        long seq = at is { } time ? await clock.PlaceAtAsync(connection, tenant, time, cancellationToken).ConfigureAwait(false) : end.NodeSeq;
        // After the end: a projection that has come further meanwhile must not make the answer stand on more than it says.
        return await PointOfAsync(seq, Math.Min(seq, await projection.GetFoldedAsync(connection, tenant, cancellationToken).ConfigureAwait(false)))
            .ConfigureAwait(false);

        async Task<HistoryPoint> PointOfAsync(long asked, long folded) =>
            new(asked, folded, await clock.TimeOfAsync(connection, tenant, folded, cancellationToken).ConfigureAwait(false), end.NodeSeq);
    }
}
