namespace EventMesh.Host.Doctor;

/// <summary>What <c>mesh doctor</c> found.</summary>
/// <param name="CanStart">Whether a node would start.</param>
/// <param name="Transport">The QUIC provider that it would use; null for none.</param>
/// <param name="Store">The store that it would use; null for none.</param>
/// <param name="Checks">The examinations, in the order of a start.</param>
internal sealed record DoctorReport(bool CanStart, string? Transport, string? Store, IReadOnlyList<DoctorCheck> Checks);
