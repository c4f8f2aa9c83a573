using EventMesh.Host.Errors;

namespace EventMesh.Host.Doctor;

/// <summary>Runs all examinations: each, also after one that failed.</summary>
internal sealed class MeshDoctor(IEnumerable<IDoctorProbe> probes)
{
    /// <summary>The check whose choice is the report's transport.</summary>
    public const string TransportCheck = "transport";

    /// <summary>The check whose choice is the report's store.</summary>
    public const string StoreCheck = "store";

    /// <summary>Examines all.</summary>
    public async Task<DoctorReport> ExamineAsync(CancellationToken cancellationToken)
    {
        List<DoctorCheck> checks = [];
        foreach (IDoctorProbe probe in probes)
        {
            try
            {
                checks.AddRange(await probe.ExamineAsync(cancellationToken));
            }
            catch (Exception e) when (e is not OperationCanceledException)
            {
                checks.Add(DoctorCheck.Failed(probe.GetType().Name, e.ToMeshException()));
            }
        }
        return new DoctorReport(
            checks.TrueForAll(c => c.Status != DoctorStatus.Failed), ChoiceOf(TransportCheck), ChoiceOf(StoreCheck), checks);

        string? ChoiceOf(string name) => checks.Find(c => c.Name == name && c.Choice is not null)?.Choice;
    }

    /// <summary>The exit code: that of the first problem, in the order of a start.</summary>
    public static ExitCode GetExitCode(DoctorReport report) =>
        report.Checks.FirstOrDefault(c => c.Status == DoctorStatus.Failed) is { Error: { } error } ? ErrorCatalog.Get(error).ExitCode : ExitCode.Success;
}
