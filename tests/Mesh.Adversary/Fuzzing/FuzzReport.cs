namespace EventMesh.Adversary.Fuzzing;

/// <summary>What a run over one target came to.</summary>
/// <param name="Target">The decoder.</param>
/// <param name="Inputs">How many inputs it got.</param>
/// <param name="Accepted">How many of them were values.</param>
/// <param name="MaxAllocated">The most that one input made it allocate, bytes.</param>
/// <param name="Elapsed">How long it took.</param>
internal sealed record FuzzReport(string Target, long Inputs, long Accepted, long MaxAllocated, TimeSpan Elapsed)
{
    public override string ToString() =>
        $"{Target,-16} {Inputs,10} inputs, {Accepted,9} accepted, at most {MaxAllocated,7} bytes allocated, {Elapsed.TotalSeconds,6:F1} s";
}
