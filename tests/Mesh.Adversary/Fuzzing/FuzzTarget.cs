namespace EventMesh.Adversary.Fuzzing;

/// <summary>A decoder under test.</summary>
/// <param name="Name">Its name, for replays.</param>
/// <param name="Corpus">Valid inputs.</param>
/// <param name="Decode">
/// Decodes an input and checks what comes out: true for a value, false for the documented refusal, an exception for a finding.
/// </param>
/// <param name="FixedBytes">What it may allocate for any input, bytes.</param>
/// <param name="BytesPerByte">What it may allocate for each byte of the input, bytes.</param>
internal sealed record FuzzTarget(
    string Name, IReadOnlyList<byte[]> Corpus, Func<ReadOnlyMemory<byte>, bool> Decode, int FixedBytes = 16 * 1024, int BytesPerByte = 80)
{
    public override string ToString() => Name;
}
