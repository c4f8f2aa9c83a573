namespace EventMesh.Marten.Audit.Internal;

/// <summary>The findings of one audit; of a log that is wrong from end to end not all are kept.</summary>
internal sealed class AuditFindings
{
    private const int Kept = 1000;

    private readonly List<AuditFinding> _all = [];

    public int Count { get; private set; }

    public IReadOnlyList<AuditFinding> First => [.. _all.OrderBy(finding => finding.Place ?? long.MaxValue)];

    public void Add(AuditProblem problem, long? place, string detail)
    {
        Count++;
        if (_all.Count < Kept)
            _all.Add(new AuditFinding(problem, place, detail));
    }
}
