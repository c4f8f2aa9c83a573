namespace EventMesh.Wire;

/// <summary>A frame as read.</summary>
/// <param name="Type">Its type.</param>
/// <param name="Body">Its body; valid until the next read.</param>
internal readonly record struct Frame(FrameType Type, ReadOnlyMemory<byte> Body)
{
    /// <summary>Whether a receiver that does not know the type skips it: even numbers above 31.</summary>
    public bool IsOptional => (ulong)Type > 31 && ((ulong)Type & 1) == 0;
}
