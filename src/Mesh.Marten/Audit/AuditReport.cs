using EventMesh.Identity;

namespace EventMesh.Marten.Audit;

/// <summary>What an audit of a node's log found.</summary>
/// <param name="Node">The node.</param>
/// <param name="LastPlace">The last place that was looked at: the end of the log when the audit began.</param>
/// <param name="ChainedFrom">The place where the chain begins; null when no event has a link.</param>
/// <param name="Head">The link at the last place; null without a chain.</param>
/// <param name="Seals">How many seals were checked.</param>
/// <param name="SealedThrough">The last place that a good seal stands for; 0 without one.</param>
/// <param name="Erasures">The events that erased peers' addresses, with how many events each changed.</param>
/// <param name="Projections">The projections that were compared.</param>
/// <param name="Findings">What is wrong, in order of place, the first 1,000; empty when all is well.</param>
/// <param name="FindingCount">How many there are.</param>
public sealed record AuditReport(
    NodeId Node, long LastPlace, long? ChainedFrom, byte[]? Head, int Seals, long SealedThrough, IReadOnlyList<AuditErasure> Erasures,
    IReadOnlyList<string> Projections, IReadOnlyList<AuditFinding> Findings, int FindingCount)
{
    /// <value>The months that were removed, the oldest first. What stood between their events is proven in part only, see docs/audit.md.</value>
    public IReadOnlyList<AuditDroppedMonth> Dropped { get; init; } = [];

    /// <summary>Whether nothing is wrong.</summary>
    public bool IsGood => FindingCount == 0;
}
