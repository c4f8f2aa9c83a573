using EventMesh.Transport.Ngtcp2.Interop;

namespace EventMesh.Transport.Ngtcp2.Internal;

/// <summary>Wakes the loop thread from its wait (eventfd).</summary>
internal sealed unsafe class WakeUp : IDisposable
{
    private readonly DescriptorHandle _handle;

    public WakeUp()
    {
        _handle = new DescriptorHandle(Native.eventfd(0, Native.EFD_CLOEXEC | Native.EFD_NONBLOCK));
        if (_handle.IsInvalid)
            throw new MeshException(MeshError.TransportUnavailable, "The process has no file descriptors left.");
    }

    public int Descriptor => _handle.Descriptor;

    /// <summary>From any thread, also after the end of the loop: the reference keeps the number from naming something else.</summary>
    public void Signal()
    {
        bool referenced = false;
        try
        {
            _handle.DangerousAddRef(ref referenced);
            ulong one = 1;
            _ = Native.write(_handle.Descriptor, &one, sizeof(ulong));
        }
        catch (ObjectDisposedException)
        {
            // The loop has ended: who posts to it runs the work himself.
        }
        finally
        {
            if (referenced)
                _handle.DangerousRelease();
        }
    }

    /// <summary>Takes the signals so far.</summary>
    public void Clear()
    {
        ulong count;
        _ = Native.read(_handle.Descriptor, &count, sizeof(ulong));
    }

    public void Dispose() => _handle.Dispose();
}
