using EventMesh.Identity;

namespace EventMesh.Projections;

/// <summary>A change of the mesh as a node sees it.</summary>
/// <param name="Kind">What became of it.</param>
/// <param name="Subject">Of what: a peer's identity, a range of addresses, a contact, or a certificate's fingerprint.</param>
/// <param name="Peer">The peer that it concerns; null for ranges of addresses and certificates.</param>
/// <param name="At">When; of a difference between two times the last such change, null where nothing tells it.</param>
/// <param name="By">Who decided it; null where nobody did, or where nothing tells it.</param>
/// <param name="Detail">More, for people: a reason, a peer's program.</param>
public sealed record MeshChange(MeshChangeKind Kind, string Subject, PeerId? Peer, DateTimeOffset? At, string? By, string? Detail)
{
    /// <value>The place of the event that made it; null for a difference between two times.</value>
    public long? Seq { get; init; }
}
