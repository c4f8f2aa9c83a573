using System.Runtime.InteropServices;
using EventMesh.Transport.Ngtcp2.Interop;

namespace EventMesh.Transport.Ngtcp2.Internal;

/// <summary>Receives in batches: several messages per call, and with UDP_GRO several datagrams per message. Loop thread only.</summary>
internal sealed unsafe class DatagramReceiver : IDisposable
{
    private const int BatchSize = 16;
    private const int BufferBytes = 65536;
    private const int NameStride = 32;
    private const int ControlBytes = 64;

    // So that a flood does not keep the loop from sending.
    private const int MaxBatchesPerPass = 2;

    private readonly int _descriptor;
    private readonly bool _offload;
    private readonly byte* _buffers;
    private readonly byte* _names;
    private readonly byte* _controls;
    private readonly mmsghdr* _messages;
    private readonly iovec* _vectors;

    public DatagramReceiver(UdpSocket socket)
    {
        _descriptor = socket.Descriptor;
        _offload = socket.ReceiveOffload;
        _buffers = (byte*)NativeMemory.Alloc(BatchSize * BufferBytes);
        _names = (byte*)NativeMemory.AllocZeroed(BatchSize * NameStride);
        _controls = (byte*)NativeMemory.AllocZeroed(BatchSize * ControlBytes);
        _messages = (mmsghdr*)NativeMemory.AllocZeroed(BatchSize, (nuint)sizeof(mmsghdr));
        _vectors = (iovec*)NativeMemory.AllocZeroed(BatchSize, (nuint)sizeof(iovec));
        for (int i = 0; i < BatchSize; i++)
        {
            _vectors[i].iov_base = _buffers + (i * BufferBytes);
            _vectors[i].iov_len = BufferBytes;
            _messages[i].msg_hdr.msg_name = _names + (i * NameStride);
            _messages[i].msg_hdr.msg_iov = _vectors + i;
            _messages[i].msg_hdr.msg_iovlen = 1;
            _messages[i].msg_hdr.msg_control = _controls + (i * ControlBytes);
        }
    }

    /// <summary>Hands what waits in the socket to the loop, datagram by datagram.</summary>
    public void Receive(EventLoop loop)
    {
        for (int batch = 0; batch < MaxBatchesPerPass; batch++)
        {
            for (int i = 0; i < BatchSize; i++)
            {
                _messages[i].msg_hdr.msg_namelen = NativeAddress.MaxLength;
                _messages[i].msg_hdr.msg_controllen = _offload ? ControlBytes : 0u;
            }
            int count = Native.recvmmsg(_descriptor, _messages, BatchSize, Native.MSG_DONTWAIT, null);
            if (count <= 0)
                return;
            ulong now = loop.ReadClock();
            for (int i = 0; i < count; i++)
                Deliver(loop, i, now);
            if (count < BatchSize)
                return;
        }
    }

    public void Dispose()
    {
        NativeMemory.Free(_buffers);
        NativeMemory.Free(_names);
        NativeMemory.Free(_controls);
        NativeMemory.Free(_messages);
        NativeMemory.Free(_vectors);
    }

    private void Deliver(EventLoop loop, int index, ulong now)
    {
        int length = (int)_messages[index].msg_len;
        int segment = SegmentSize(index, length);
        byte* data = _buffers + (index * BufferBytes);
        ngtcp2_path path = new() { local = loop.LocalAddress };
        path.remote.addr = _names + (index * NameStride);
        path.remote.addrlen = _messages[index].msg_hdr.msg_namelen;
        for (int offset = 0; offset < length; offset += segment)
            loop.Router.Route(&path, data + offset, Math.Min(segment, length - offset), now);
    }

    /// <summary>The length of each datagram in a message: the kernel says it in the one control message that we ask for.</summary>
    private int SegmentSize(int index, int length)
    {
        const int HeaderBytes = 16; // cmsghdr: length, level, type
        msghdr* header = &_messages[index].msg_hdr;
        if (!_offload || header->msg_controllen < HeaderBytes + sizeof(int))
            return length;
        byte* control = header->msg_control;
        bool isSegment = *(int*)(control + 8) == Native.SOL_UDP && *(int*)(control + 12) == Native.UDP_GRO;
        int segment = isSegment ? *(int*)(control + HeaderBytes) : length;
        return segment > 0 ? segment : length;
    }
}
