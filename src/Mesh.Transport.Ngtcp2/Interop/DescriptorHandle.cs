using System.Runtime.InteropServices;

namespace EventMesh.Transport.Ngtcp2.Interop;

/// <summary>A file descriptor of the process: a socket or an event counter.</summary>
internal sealed class DescriptorHandle : SafeHandle
{
    public DescriptorHandle(int descriptor)
        : base(-1, ownsHandle: true) => SetHandle(descriptor);

    public override bool IsInvalid => handle == -1;

    /// <summary>The number; valid while the owner, the loop thread, holds this handle.</summary>
    public int Descriptor => (int)handle;

    protected override bool ReleaseHandle() => Native.close((int)handle) == 0;
}
