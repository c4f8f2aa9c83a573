using System.Net;
using EventMesh.Identity;

namespace EventMesh.Events;

/// <summary>
/// A month of the <c>peers</c> streams begins: what is open and joined, so that the months before are not needed to know it. Stands before the first
/// event of the month, together with <see cref="CacheSegmentOpened"/>; the first month of a log begins with nothing and has none.
/// </summary>
/// <param name="Month">The month, <c>yyyy-mm</c>, of UTC.</param>
/// <param name="Connections">The open connections, the oldest first.</param>
/// <param name="Peers">The joined peers, in order of identity.</param>
[MeshEvent("peer.segment-opened", 1, StreamFamily.Peers)]
public sealed record PeersSegmentOpened(
    string Month, IReadOnlyList<SegmentConnection> Connections, IReadOnlyList<SegmentPeer> Peers) : IMeshEvent;

/// <summary>A month of the <c>cache</c> streams begins: the bootstrap cache as it is, see <see cref="PeersSegmentOpened"/>.</summary>
/// <param name="Month">The month, <c>yyyy-mm</c>, of UTC.</param>
/// <param name="Entries">The entries, in order of identity.</param>
[MeshEvent("cache.segment-opened", 1, StreamFamily.Cache)]
public sealed record CacheSegmentOpened(string Month, IReadOnlyList<SegmentCacheEntry> Entries) : IMeshEvent;

/// <summary>A closed month left the table of events: its events stand in compressed blocks, behind the same views.</summary>
/// <param name="Family">The streams.</param>
/// <param name="Month">The month, <c>yyyy-mm</c>, of UTC.</param>
/// <param name="FirstSeq">The place of its first event.</param>
/// <param name="LastSeq">The place of its last event; between the two are events of other streams, too.</param>
/// <param name="Count">How many events it has.</param>
/// <param name="Head">The link of the log's hash chain at its last event, base64; null where the log has no chain there.</param>
[MeshEvent("segment.archived", 1, StreamFamily.Node)]
public sealed record SegmentArchived(StreamFamily Family, string Month, long FirstSeq, long LastSeq, long Count, string? Head) : IMeshEvent;

/// <summary>An archived month is removed from the log for good: this event explains the places that are missing from then on.</summary>
/// <param name="Family">The streams.</param>
/// <param name="Month">The month, <c>yyyy-mm</c>, of UTC.</param>
/// <param name="FirstSeq">The place of its first event.</param>
/// <param name="LastSeq">The place of its last event; the events of other streams between the two stay.</param>
/// <param name="Count">How many events it had.</param>
/// <param name="Head">The link of the log's hash chain at its last event, base64; null where the log has no chain there.</param>
[MeshEvent("segment.dropped", 1, StreamFamily.Node)]
public sealed record SegmentDropped(StreamFamily Family, string Month, long FirstSeq, long LastSeq, long Count, string? Head) : IMeshEvent;

/// <summary>A connection that is open when a month begins.</summary>
/// <param name="Connection">Its identity in the log.</param>
/// <param name="Peer">The peer.</param>
/// <param name="Remote">The peer's end.</param>
/// <param name="Direction">Who dialled.</param>
/// <param name="OpenedAt">Since when.</param>
public sealed record SegmentConnection(Guid Connection, PeerId Peer, IPEndPoint Remote, ConnectionDirection Direction, DateTimeOffset OpenedAt);

/// <summary>A peer that is joined when a month begins.</summary>
/// <param name="Peer">The peer.</param>
/// <param name="Instance">The random identity of its process start.</param>
/// <param name="Kind">What it is.</param>
/// <param name="Endpoints">Where it can be dialled.</param>
/// <param name="Agent">Its program and version, as it says.</param>
/// <param name="JoinedAt">Since when.</param>
public sealed record SegmentPeer(PeerId Peer, Guid Instance, PeerKind Kind, IReadOnlyList<IPEndPoint> Endpoints, string Agent, DateTimeOffset JoinedAt);

/// <summary>An entry of the bootstrap cache when a month begins.</summary>
/// <param name="Peer">The node.</param>
/// <param name="Endpoints">Where it can be dialled, the proven one first.</param>
/// <param name="Certificate">Its certificate, DER.</param>
/// <param name="Origin">Who dialled whom first.</param>
/// <param name="AddedAt">When it entered.</param>
/// <param name="LastConnectedAt">When it was last connected.</param>
/// <param name="IsConfirmed">Whether somebody else, or we after a silence, have reached it too.</param>
/// <param name="Failures">Failed dials in a row.</param>
/// <param name="LastFailedAt">When the last of them was; null when there is none.</param>
public sealed record SegmentCacheEntry(
    PeerId Peer, IReadOnlyList<IPEndPoint> Endpoints, byte[] Certificate, ConnectionDirection Origin, DateTimeOffset AddedAt,
    DateTimeOffset LastConnectedAt, bool IsConfirmed, int Failures, DateTimeOffset? LastFailedAt);
