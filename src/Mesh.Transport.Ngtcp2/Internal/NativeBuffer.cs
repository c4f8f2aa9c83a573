using System.Runtime.InteropServices;

namespace EventMesh.Transport.Ngtcp2.Internal;

/// <summary>
/// A block of native memory: its address is fixed, so ngtcp2 may point into it until the bytes are acknowledged. A handle, so that the
/// memory also comes back of a stream with unread data that the application dropped without disposing it.
/// </summary>
internal sealed unsafe class NativeBuffer : SafeHandle
{
    public NativeBuffer(byte* data, int capacity, int sizeClass)
        : base(0, ownsHandle: true)
    {
        SetHandle((nint)data);
        Capacity = capacity;
        SizeClass = sizeClass;
    }

    public override bool IsInvalid => handle == 0;

    public byte* Data => (byte*)handle;

    public int Capacity { get; }

    public int SizeClass { get; }

    /// <value>The first byte not consumed yet (receiving only).</value>
    public int Start { get; set; }

    /// <value>The end of the bytes written.</value>
    public int Length { get; set; }

    /// <value>The next block of the same queue.</value>
    public NativeBuffer? Next { get; set; }

    public bool IsFull => Length == Capacity;

    public Span<byte> Room => new(Data + Length, Capacity - Length);

    public ReadOnlySpan<byte> Unread => new(Data + Start, Length - Start);

    protected override bool ReleaseHandle()
    {
        NativeMemory.Free((void*)handle);
        return true;
    }
}
