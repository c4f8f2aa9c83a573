using EventMesh.Events;
using EventMesh.Projections;

namespace EventMesh.Journal.Internal;

/// <summary>
/// Decides when a month begins, and with what. Both families begin together: the cache's count of failures folds events of the <c>peers</c> streams, so a
/// snapshot of one without the other would still need the month before.
/// </summary>
internal static class SegmentOpening
{
    /// <summary>How many events open a month.</summary>
    public const int Count = 2;

    /// <summary>Whether an event of this time begins a month. The first month of a log begins with nothing, which needs no event.</summary>
    public static bool IsDue(MeshState state, IMeshEvent data, DateTimeOffset time) =>
        state.Segments.Month is { } month && SegmentState.IsMonthly(data) && SegmentState.MonthOf(time) != month;

    /// <summary>
    /// When the event that opens the month is to be recorded, if the next one could be at <paramref name="time"/>: the same time, unless what
    /// follows it by a microsecond each would fall into the month after.
    /// </summary>
    public static DateTimeOffset TimeOf(DateTimeOffset time)
    {
        DateTimeOffset end = time.AddMicroseconds(Count);
        return SegmentState.MonthOf(end) == SegmentState.MonthOf(time) ? time : end;
    }

    /// <summary>The events that open a month: what the state is.</summary>
    public static IReadOnlyList<IMeshEvent> Open(MeshState state, DateTimeOffset time)
    {
        string month = SegmentState.NameOf(SegmentState.MonthOf(time));
        return
        [
            new PeersSegmentOpened(
                month,
                [
                    .. state.Connections.Open.Values.OrderBy(open => open.OpenedAt)
                        .Select(open => new SegmentConnection(open.Connection, open.Peer, open.Remote, open.Direction, open.OpenedAt)),
                ],
                [
                    .. state.Peers.Joined.Values.OrderBy(peer => peer.Peer)
                        .Select(peer => new SegmentPeer(peer.Peer, peer.Instance, peer.Kind, peer.Endpoints, peer.Agent, peer.JoinedAt)),
                ]),
            new CacheSegmentOpened(
                month,
                [
                    .. state.Cache.Entries.Values.OrderBy(entry => entry.Peer).Select(entry => new SegmentCacheEntry(
                        entry.Peer, entry.Endpoints, entry.Certificate, entry.Origin, entry.AddedAt, entry.LastConnectedAt, entry.IsConfirmed,
                        entry.Failures, entry.LastFailedAt)),
                ]),
        ];
    }
}
