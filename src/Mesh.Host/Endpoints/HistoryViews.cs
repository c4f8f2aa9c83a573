using System.Text.Json.Serialization;
using EventMesh.Marten.Queries;
using EventMesh.Projections;

namespace EventMesh.Host.Endpoints;

// What the control interface answers from history. Published: members are added, never changed or taken away within v1.

/// <summary>What an answer from history stands on.</summary>
/// <param name="Seq">The place in the log that the answer is as of.</param>
/// <param name="Time">The time of the event there; null before the first.</param>
/// <param name="RequestedSeq">The last place at the time that was asked for; more than <paramref name="Seq"/> while the projection lags.</param>
/// <param name="IsComplete">Whether the projection had come so far.</param>
/// <param name="NotStored">Events that the node has recorded and the store does not have yet; 0 where they can't concern the answer.</param>
internal sealed record AsOfView(long Seq, DateTimeOffset? Time, long RequestedSeq, bool IsComplete, long NotStored)
{
    public static AsOfView From(HistoryPoint point, long lastRecorded) => new(
        point.FoldedSeq, point.Time, point.Seq, point.IsComplete, point.Seq == point.LogSeq ? Math.Max(0, lastRecorded - point.LogSeq) : 0);
}

/// <summary>A page of an answer from history; <paramref name="Next"/> is the cursor of the next, null at the end.</summary>
internal sealed record HistoryView<T>(IReadOnlyList<T> Items, AsOfView AsOf, string? Next);

/// <summary>A peer that was joined.</summary>
internal sealed record JoinedPeerView(PeerId Peer, PeerKind Kind, Guid Instance, IReadOnlyList<string> Endpoints, string Agent, DateTimeOffset JoinedAt)
{
    public static JoinedPeerView From(JoinedPeer peer) =>
        new(peer.Peer, peer.Kind, peer.Instance, [.. peer.Endpoints.Select(e => e.ToString())], peer.Agent, peer.JoinedAt);
}

/// <summary>A connection that stands or stood; what tells of its end is null while it stands.</summary>
internal sealed record ConnectionView(
    Guid Connection, PeerId Peer, string Remote, ConnectionDirection Direction, DateTimeOffset OpenedAt, long OpenedSeq, DateTimeOffset? ClosedAt,
    CloseReason? Reason, long? BytesSent, long? BytesReceived, long? MessagesSent, long? MessagesReceived)
{
    /// <summary>How long it stood; null while it stands.</summary>
    [JsonIgnore]
    public TimeSpan? Duration => ClosedAt - OpenedAt;

    public static ConnectionView From(ConnectionRecord connection) => new(
        connection.Connection, connection.Peer, connection.Remote.ToString(), connection.Direction, connection.OpenedAt, connection.OpenedSeq,
        connection.Closed?.At, connection.Closed?.Reason, connection.Closed?.BytesSent, connection.Closed?.BytesReceived, connection.Closed?.MessagesSent,
        connection.Closed?.MessagesReceived);
}

/// <summary>A page of the events that concern a peer.</summary>
internal sealed record TimelineView(PeerId Peer, IReadOnlyList<EventView> Events, AsOfView AsOf, string? Next);

/// <summary>What differs between two times.</summary>
internal sealed record DifferenceView(
    AsOfView From, AsOfView To, IReadOnlyList<MeshChange> Changes, long ConnectionsOpened, long ConnectionsClosed);
