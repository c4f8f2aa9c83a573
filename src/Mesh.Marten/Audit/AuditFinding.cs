namespace EventMesh.Marten.Audit;

/// <summary>Something that is wrong with a log.</summary>
/// <param name="Problem">What kind of thing.</param>
/// <param name="Place">Where in the log; null where it has no place.</param>
/// <param name="Detail">More, for people.</param>
public sealed record AuditFinding(AuditProblem Problem, long? Place, string Detail);
