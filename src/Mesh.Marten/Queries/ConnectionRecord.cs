using System.Net;
using EventMesh.Events;
using EventMesh.Identity;

namespace EventMesh.Marten.Queries;

/// <summary>A connection that stands or stood.</summary>
/// <param name="Connection">Its identity in the log.</param>
/// <param name="Peer">The peer.</param>
/// <param name="Remote">The peer's end.</param>
/// <param name="Direction">Who dialled.</param>
/// <param name="OpenedAt">When it was opened.</param>
/// <param name="OpenedSeq">The place in the log where it was opened.</param>
/// <param name="Closed">How it ended; null while it stands.</param>
public sealed record ConnectionRecord(
    Guid Connection, PeerId Peer, IPEndPoint Remote, ConnectionDirection Direction, DateTimeOffset OpenedAt, long OpenedSeq, ConnectionEnd? Closed);
