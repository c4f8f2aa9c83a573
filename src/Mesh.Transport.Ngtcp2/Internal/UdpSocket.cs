using System.Net;
using System.Net.Sockets;
using System.Runtime.InteropServices;
using EventMesh.Transport.Ngtcp2.Interop;

namespace EventMesh.Transport.Ngtcp2.Internal;

/// <summary>The endpoint's UDP socket, bound.</summary>
internal sealed unsafe class UdpSocket : IDisposable
{
    private const int BufferBytes = 2 * 1024 * 1024;

    private readonly DescriptorHandle _handle;

    private UdpSocket(DescriptorHandle handle, AddressFamily family, bool receiveOffload)
    {
        _handle = handle;
        Family = family;
        ReceiveOffload = receiveOffload;
        byte* address = stackalloc byte[NativeAddress.MaxLength];
        uint length = NativeAddress.MaxLength;
        if (Native.getsockname(handle.Descriptor, address, &length) != 0)
            throw Failed(MeshError.AddressNotAvailable, "The address of the UDP socket can't be read", Marshal.GetLastPInvokeError());
        LocalEndPoint = NativeAddress.Read(address);
        RawAddress = new ReadOnlySpan<byte>(address, (int)length).ToArray();
    }

    public int Descriptor => _handle.Descriptor;

    public AddressFamily Family { get; }

    public IPEndPoint LocalEndPoint { get; }

    /// <value>The bound address as the kernel has it.</value>
    public byte[] RawAddress { get; }

    /// <value>Whether the kernel hands over several datagrams of a sender as one (UDP_GRO).</value>
    public bool ReceiveOffload { get; }

    /// <exception cref="MeshException">
    /// <see cref="MeshError.AddressInUse"/>, <see cref="MeshError.AddressNotAvailable"/> or <see cref="MeshError.TransportUnavailable"/>.
    /// </exception>
    public static UdpSocket Bind(IPEndPoint local, EndpointTuning tuning)
    {
        bool isIPv6 = local.AddressFamily == AddressFamily.InterNetworkV6;
        int descriptor = Native.socket(isIPv6 ? Native.AF_INET6 : Native.AF_INET, Native.SOCK_DGRAM | Native.SOCK_CLOEXEC | Native.SOCK_NONBLOCK, 0);
        if (descriptor < 0)
        {
            int error = Marshal.GetLastPInvokeError();
            throw Failed(
                isIPv6 ? MeshError.AddressNotAvailable : MeshError.TransportUnavailable,
                $"A UDP socket for {local} can't be opened", error);
        }
        var handle = new DescriptorHandle(descriptor);
        try
        {
            bool receiveOffload = Configure(descriptor, isIPv6, tuning);
            byte* address = stackalloc byte[NativeAddress.MaxLength];
            uint length = NativeAddress.Write(address, local);
            if (Native.bind(descriptor, address, length) != 0)
                throw BindFailed(local, Marshal.GetLastPInvokeError());
            return new UdpSocket(handle, local.AddressFamily, receiveOffload);
        }
        catch
        {
            handle.Dispose();
            throw;
        }
    }

    public void Dispose() => _handle.Dispose();

    private static bool Configure(int descriptor, bool isIPv6, EndpointTuning tuning)
    {
        // The kernel caps what it does not like; none of these is needed to work.
        Set(descriptor, Native.SOL_SOCKET, Native.SO_RCVBUF, BufferBytes);
        Set(descriptor, Native.SOL_SOCKET, Native.SO_SNDBUF, BufferBytes);
        // Probing: packets carry "don't fragment", and QUIC finds the path's size itself (RFC 9000 14.3).
        if (isIPv6)
        {
            Set(descriptor, Native.IPPROTO_IPV6, Native.IPV6_V6ONLY, 0);
            Set(descriptor, Native.IPPROTO_IPV6, Native.IPV6_MTU_DISCOVER, Native.IP_PMTUDISC_PROBE);
        }
        Set(descriptor, Native.IPPROTO_IP, Native.IP_MTU_DISCOVER, Native.IP_PMTUDISC_PROBE);
        return tuning.ReceiveOffload && Set(descriptor, Native.SOL_UDP, Native.UDP_GRO, 1);
    }

    private static bool Set(int descriptor, int level, int option, int value) => Native.setsockopt(descriptor, level, option, &value, sizeof(int)) == 0;

    private static MeshException BindFailed(IPEndPoint local, int error) => error switch
    {
        Native.EADDRINUSE => Failed(MeshError.AddressInUse, $"UDP {local} is in use by another socket", error),
        Native.EACCES => Failed(MeshError.AddressNotAvailable, $"UDP {local} may not be bound by this user (ports below 1024 need CAP_NET_BIND_SERVICE)", error),
        _ => Failed(MeshError.AddressNotAvailable, $"UDP {local} can't be bound: the address is not of this machine, or its network is down", error),
    };

    private static MeshException Failed(MeshError error, string message, int number) =>
        new(error, $"{message} ({Marshal.GetPInvokeErrorMessage(number)}).");
}
