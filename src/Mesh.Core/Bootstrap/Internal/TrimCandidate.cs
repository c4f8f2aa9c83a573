using EventMesh.Identity;

namespace EventMesh.Bootstrap.Internal;

/// <summary>A joined peer as the choice of those to trim sees it.</summary>
/// <param name="Peer">The peer.</param>
/// <param name="IsInbound">Whether it dialled us.</param>
/// <param name="JoinedAt">Since when it is joined.</param>
/// <param name="RecentMessages">Messages with it, both ways, in the last 10 minutes.</param>
/// <param name="IsProtected">Whether an operator has trusted or pinned it.</param>
internal sealed record TrimCandidate(PeerId Peer, bool IsInbound, DateTimeOffset JoinedAt, long RecentMessages, bool IsProtected);
