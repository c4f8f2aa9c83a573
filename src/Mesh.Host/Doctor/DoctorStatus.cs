namespace EventMesh.Host.Doctor;

/// <summary>How an examined thing stands.</summary>
internal enum DoctorStatus
{
    /// <summary>Well.</summary>
    Ok,

    /// <summary>Worth knowing; a node starts all the same.</summary>
    Note,

    /// <summary>A node would not start.</summary>
    Failed,
}
