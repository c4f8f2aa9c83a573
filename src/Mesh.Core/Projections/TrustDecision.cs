namespace EventMesh.Projections;

/// <summary>Why, when and by whom a peer was trusted or a key or certificate revoked.</summary>
/// <param name="Reason">Why, for people.</param>
/// <param name="At">When.</param>
/// <param name="By">Who decided it.</param>
public sealed record TrustDecision(string Reason, DateTimeOffset At, string By);
