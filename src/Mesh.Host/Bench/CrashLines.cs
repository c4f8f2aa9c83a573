namespace EventMesh.Host.Bench;

/// <summary>An event in the log, as the node of <see cref="CrashBenchmark"/> tells of it after its start.</summary>
/// <param name="Seq">Its place.</param>
/// <param name="Id">Its identity.</param>
/// <param name="IsCrashEnd">Whether it closes what a crash left open.</param>
internal sealed record CrashLogLine(long Seq, Guid Id, bool IsCrashEnd);

/// <summary>An event that the node has just recorded.</summary>
/// <param name="Seq">Its place.</param>
/// <param name="Id">Its identity.</param>
/// <param name="Timestamp">When, on the clock of the machine that all processes share.</param>
internal sealed record CrashRecordLine(long Seq, Guid Id, long Timestamp);
