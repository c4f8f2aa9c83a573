using System.Runtime.InteropServices;
using EventMesh.Transport.Ngtcp2.Interop;

namespace EventMesh.Transport.Ngtcp2.Internal;

/// <summary>
/// Collects packets and sends them in batches: several messages per call, and with UDP_SEGMENT up to 64 equal datagrams to one
/// address per message. Loop thread only.
/// </summary>
internal sealed unsafe class DatagramSender : IDisposable
{
    /// <summary>The largest datagram that we write, bytes.</summary>
    public const int MaxDatagram = 1500;

    private const int MaxMessages = 64;
    private const int MaxSegments = 64;
    private const int MaxSegmentedBytes = 65000;
    private const int ArenaBytes = 1024 * 1024;
    private const int Stride = 32;
    private const int SegmentControlLength = 18;
    private const int SegmentControlSpace = 24;
    private const long FullSocketWaitNanoseconds = 2_000_000;

    private readonly int _descriptor;
    private readonly EndpointCounters _counters;
    private readonly bool _breakOffload;
    private readonly byte* _arena;
    private readonly byte* _names;
    private readonly byte* _controls;
    private readonly mmsghdr* _messages;
    private readonly iovec* _vectors;
    private readonly int* _segments;
    private int _count;
    private int _used;
    private bool _lastIsOpen;
    private bool _batching;

    public DatagramSender(UdpSocket socket, EndpointCounters counters, EndpointTuning tuning)
    {
        _descriptor = socket.Descriptor;
        _counters = counters;
        Offload = tuning.SegmentationOffload;
        _breakOffload = tuning.BreakSegmentationOffload;
        _arena = (byte*)NativeMemory.Alloc(ArenaBytes + MaxDatagram);
        _names = (byte*)NativeMemory.AllocZeroed(MaxMessages * Stride);
        _controls = (byte*)NativeMemory.AllocZeroed(MaxMessages * Stride);
        _messages = (mmsghdr*)NativeMemory.AllocZeroed(MaxMessages, (nuint)sizeof(mmsghdr));
        _vectors = (iovec*)NativeMemory.AllocZeroed(MaxMessages, (nuint)sizeof(iovec));
        _segments = (int*)NativeMemory.AllocZeroed(MaxMessages, sizeof(int));
        for (int i = 0; i < MaxMessages; i++)
        {
            _messages[i].msg_hdr.msg_name = _names + (i * Stride);
            _messages[i].msg_hdr.msg_iov = _vectors + i;
            _messages[i].msg_hdr.msg_iovlen = 1;
        }
    }

    /// <value>Whether the kernel and the device segment for us; turned off at the first refusal.</value>
    public bool Offload { get; private set; }

    /// <summary>Where the next packet is to be written; it stays the same until <see cref="Commit"/>.</summary>
    public byte* Place => _arena + _used;

    /// <summary>Begins a pass over many connections, whose packets leave together.</summary>
    public void BeginBatch() => _batching = true;

    /// <summary>Ends the pass and sends.</summary>
    public void EndBatch()
    {
        _batching = false;
        Flush();
    }

    /// <summary>Adds the packet at <see cref="Place"/>.</summary>
    public void Commit(in ngtcp2_addr to, int length)
    {
        _counters.Sent++;
        if (_lastIsOpen && Offload && TryExtendLast(to, length))
            return;
        if (_count == MaxMessages)
        {
            // The packet lies behind those that go now: it becomes the first of the next batch.
            byte* packet = Place;
            Flush();
            Buffer.MemoryCopy(packet, _arena, ArenaBytes, length);
        }
        int index = _count++;
        _segments[index] = length;
        _vectors[index].iov_base = Place;
        _vectors[index].iov_len = (nuint)length;
        _messages[index].msg_hdr.msg_namelen = to.addrlen;
        Buffer.MemoryCopy(to.addr, _messages[index].msg_hdr.msg_name, NativeAddress.MaxLength, to.addrlen);
        _lastIsOpen = true;
        Use(length);
    }

    /// <summary>Sends a packet that belongs to no connection any more; outside a batch at once.</summary>
    public void SendNow(in ngtcp2_addr to, ReadOnlySpan<byte> packet)
    {
        packet.CopyTo(new Span<byte>(Place, MaxDatagram));
        _lastIsOpen = false;
        Commit(to, packet.Length);
        _lastIsOpen = false;
        if (!_batching)
            Flush();
    }

    public void Flush()
    {
        int done = 0;
        for (int i = 0; i < _count; i++)
            SetSegmentControl(i);
        while (done < _count)
        {
            int sent = Send(done);
            _counters.SendCalls++;
            if (sent > 0)
            {
                done += sent;
                continue;
            }
            switch (Marshal.GetLastPInvokeError())
            {
                case Native.EINTR:
                    continue;
                case Native.EAGAIN:
                    WaitForRoom();
                    continue;
                case Native.EIO or Native.EINVAL when IsSegmented(done):
                    // The device, or a kernel's rule, can't: from now on each datagram is a message.
                    Offload = false;
                    SendOneByOne(done);
                    break;
                default:
                    break; // as if the network had lost it: unreachable, too long for the path, refused by a filter
            }
            done++;
        }
        _count = 0;
        _used = 0;
        _lastIsOpen = false;
    }

    public void Dispose()
    {
        NativeMemory.Free(_arena);
        NativeMemory.Free(_names);
        NativeMemory.Free(_controls);
        NativeMemory.Free(_messages);
        NativeMemory.Free(_vectors);
        NativeMemory.Free(_segments);
    }

    /// <summary>Adds to the last message what it can take: equal lengths, only the last one shorter, to the same address.</summary>
    private bool TryExtendLast(in ngtcp2_addr to, int length)
    {
        int last = _count - 1;
        int segment = _segments[last];
        int total = (int)_vectors[last].iov_len;
        msghdr* header = &_messages[last].msg_hdr;
        bool fits = length <= segment && total / segment < MaxSegments && total + length <= MaxSegmentedBytes
            && header->msg_namelen == to.addrlen
            && new ReadOnlySpan<byte>(header->msg_name, (int)to.addrlen).SequenceEqual(new ReadOnlySpan<byte>(to.addr, (int)to.addrlen));
        if (!fits)
            return false;
        _vectors[last].iov_len += (nuint)length;
        _lastIsOpen = length == segment;
        Use(length);
        return true;
    }

    private void Use(int length)
    {
        _used += length;
        if (_used > ArenaBytes - MaxDatagram)
            Flush();
    }

    private bool IsSegmented(int index) => (int)_vectors[index].iov_len > _segments[index];

    private void SetSegmentControl(int index)
    {
        msghdr* header = &_messages[index].msg_hdr;
        if (!IsSegmented(index))
        {
            header->msg_control = null;
            header->msg_controllen = 0;
            return;
        }
        byte* control = _controls + (index * Stride);
        *(nuint*)control = SegmentControlLength;
        *(int*)(control + 8) = Native.SOL_UDP;
        *(int*)(control + 12) = Native.UDP_SEGMENT;
        *(ushort*)(control + 16) = (ushort)_segments[index];
        header->msg_control = control;
        header->msg_controllen = SegmentControlSpace;
    }

    private int Send(int first)
    {
        if (!_breakOffload || !IsSegmented(first))
            return Native.sendmmsg(_descriptor, _messages + first, _breakOffload ? 1u : (uint)(_count - first), 0);
        Marshal.SetLastPInvokeError(Native.EIO);
        return -1;
    }

    private void WaitForRoom()
    {
        pollfd poll = new() { fd = _descriptor, events = Native.POLLOUT };
        timespec limit = new() { tv_nsec = FullSocketWaitNanoseconds };
        _ = Native.ppoll(&poll, 1, &limit, null);
    }

    private void SendOneByOne(int index)
    {
        mmsghdr message = _messages[index];
        message.msg_hdr.msg_control = null;
        message.msg_hdr.msg_controllen = 0;
        iovec vector;
        message.msg_hdr.msg_iov = &vector;
        int length = (int)_vectors[index].iov_len;
        for (int offset = 0; offset < length; offset += _segments[index])
        {
            vector.iov_base = _vectors[index].iov_base + offset;
            vector.iov_len = (nuint)Math.Min(_segments[index], length - offset);
            _ = Native.sendmmsg(_descriptor, &message, 1, 0);
        }
    }
}
