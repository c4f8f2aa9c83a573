namespace EventMesh.Host.Doctor;

/// <summary>Examines one thing that a start needs. It changes nothing that stays and starts nothing that stays.</summary>
internal interface IDoctorProbe
{
    /// <summary>Examines; a failure that is not a finding may be thrown.</summary>
    Task<IReadOnlyList<DoctorCheck>> ExamineAsync(CancellationToken cancellationToken);
}
