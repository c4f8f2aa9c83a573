using EventMesh.Events;
using EventMesh.Identity;
using EventMesh.Journal;
using EventMesh.Marten.Store.Internal;
using NpgsqlTypes;

namespace EventMesh.Marten.Queries.Internal;

/// <content>The events of one peer.</content>
internal sealed partial class MartenQueries
{
    private static readonly string[] PeerTables = ["peer_directory_history", "bootstrap_cache_history", "connection_history"];

    public Task<HistoryPage<RecordedEvent>> GetTimelineAsync(
        NodeId node, PeerId peer, TimelineFilter filter, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(filter);
        ArgumentOutOfRangeException.ThrowIfLessThan(filter.Limit, 1, nameof(filter));
        ArgumentOutOfRangeException.ThrowIfGreaterThan(filter.Limit, 1000, nameof(filter));
        string[]? types = filter.Types is null ? null : [.. filter.Types.Order(StringComparer.Ordinal)];
        string query = $"timeline {node} {peer} {filter.NewestFirst} {(types is null ? "*" : string.Join(',', types))}";
        PageCursor? cursor = PageCursor.Read(filter.After, query);
        return RunAsync(
            async connection =>
            {
                string tenant = LogReader.Tenant(node);
                var clock = new LogClock(session().Tables);
                LogPosition end = await session().Reader.GetPositionAsync(connection, tenant, cancellationToken).ConfigureAwait(false);
                // Of the pages after the first the cursor says the range, so that a time that moves on (an hour ago) does not move it.
                long upTo = cursor?.Seq ?? (filter.To is { } to ? await clock.PlaceAtAsync(connection, tenant, to, cancellationToken).ConfigureAwait(false) : end.NodeSeq);
                long after = cursor?.FoldedSeq ?? (filter.From is { } from
                    ? await clock.PlaceAtAsync(connection, tenant, from.AddMicroseconds(-1), cancellationToken).ConfigureAwait(false)
                    : 0);
                var subjects = new SubjectReader(session().Tables, session().Reader);
                (List<RecordedEvent> events, long? lookedAt) = await subjects.ReadAsync(
                    connection, tenant, peer.ToString(), filter.NewestFirst ? after : cursor?.Key ?? after, filter.NewestFirst ? cursor?.Key - 1 ?? upTo : upTo, types,
                    filter.NewestFirst, filter.Limit, cancellationToken).ConfigureAwait(false);
                string? next = lookedAt is { } last ? new PageCursor(upTo, after, last, "").Write(query) : null;
                return new HistoryPage<RecordedEvent>(
                    events,
                    new HistoryPoint(upTo, upTo, await clock.TimeOfAsync(connection, tenant, upTo, cancellationToken).ConfigureAwait(false), end.NodeSeq), next);
            },
            cancellationToken);
    }

    public async Task<IReadOnlyList<PeerId>> FindPeerIdsAsync(NodeId node, string prefix, int limit, CancellationToken cancellationToken = default)
    {
        ArgumentException.ThrowIfNullOrEmpty(prefix);
        ArgumentOutOfRangeException.ThrowIfLessThan(limit, 1);
        // From one identity to the next by the index: a peer with a million rows is one step.
        string steps = string.Join(" union ", PeerTables.Select(table =>
            $"""
            select peer from (
                with recursive step (peer, number) as (
                    (select peer, 1 from {session().Tables.Schema}.{table} where node_id = $1 and peer >= $2 and peer <= $3 order by peer limit 1)
                    union all
                    select next.peer, number + 1 from step cross join lateral (
                        select t.peer from {session().Tables.Schema}.{table} t where t.node_id = $1 and t.peer > step.peer and t.peer <= $3
                        order by t.peer limit 1) next
                    where number < $4)
                select peer from step) {table}_peers
            """));
        List<string> found = await RunAsync(
            connection => Sql.QueryAsync(
                Sql.Command(
                    connection, $"select peer from ({steps}) p order by peer limit $4", node.Value, Optional(prefix, NpgsqlDbType.Text),
                    Optional(prefix.PadRight(52, 'z'), NpgsqlDbType.Text), limit),
                row => row.GetString(0), cancellationToken),
            cancellationToken).ConfigureAwait(false);
        return [.. found.Where(peer => peer.StartsWith(prefix, StringComparison.Ordinal)).Select(PeerId.Parse)];
    }
}
