using EventMesh.Identity;

namespace EventMesh.Marten.Audit;

/// <summary>An erasure that the log tells of.</summary>
/// <param name="Place">The place of its event.</param>
/// <param name="Peer">The peer.</param>
/// <param name="Events">How many events it changed.</param>
public sealed record AuditErasure(long Place, PeerId Peer, int Events);
