using EventMesh.Events;

namespace EventMesh.Projections;

/// <summary>A block of a peer or a prefix.</summary>
/// <param name="Reason">Why, for people.</param>
/// <param name="At">Since when.</param>
/// <param name="Until">When it ends by itself; null for never.</param>
/// <param name="By">Who decided it.</param>
public sealed record TrustBlock(string Reason, DateTimeOffset At, DateTimeOffset? Until, string By)
{
    /// <summary>Whether the node's own limits made it.</summary>
    public bool IsAutomatic => By == TrustAuthor.Limits;

    /// <summary>Whether it holds at a time.</summary>
    public bool IsInForce(DateTimeOffset now) => Until is not { } end || now < end;
}
