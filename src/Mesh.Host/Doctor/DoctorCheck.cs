using System.Text.Json.Serialization;

namespace EventMesh.Host.Doctor;

/// <summary>What one examination found.</summary>
/// <param name="Name">What was examined.</param>
/// <param name="Status">How it stands.</param>
/// <param name="Detail">What was found.</param>
/// <param name="Remedy">What to do; null when there is nothing to do.</param>
/// <param name="Error">What a start would end with; null unless <see cref="DoctorStatus.Failed"/>.</param>
internal sealed record DoctorCheck(string Name, DoctorStatus Status, string Detail, string? Remedy = null, MeshError? Error = null)
{
    /// <summary>The name by which the check's subject will be used, such as <c>ngtcp2</c>; null where none is chosen.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? Choice { get; init; }

    /// <summary>All is well.</summary>
    public static DoctorCheck Ok(string name, string detail) => new(name, DoctorStatus.Ok, detail);

    /// <summary>Not needed for a start.</summary>
    public static DoctorCheck Note(string name, string detail, string? remedy = null) => new(name, DoctorStatus.Note, detail, remedy);

    /// <summary>A node would not start.</summary>
    public static DoctorCheck Failed(string name, MeshException exception, string? remedy = null) =>
        new(name, DoctorStatus.Failed, exception.Message, remedy, exception.Error);
}
