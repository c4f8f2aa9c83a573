using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;
using System.Runtime.CompilerServices;
using EventMesh.Transport.Ngtcp2.Interop;

namespace EventMesh.Transport.Ngtcp2.Internal;

/// <summary>Socket addresses as the kernel and ngtcp2 have them: <c>sockaddr_in</c> and <c>sockaddr_in6</c>.</summary>
internal static unsafe class NativeAddress
{
    /// <summary>The length of the longer form, bytes.</summary>
    public const int MaxLength = 28;

    private const int IPv4Length = 16;

    /// <summary>Writes an address and returns its length.</summary>
    public static uint Write(byte* destination, IPEndPoint endPoint)
    {
        Unsafe.InitBlock(destination, 0, MaxLength);
        BinaryPrimitives.WriteUInt16BigEndian(new Span<byte>(destination + 2, 2), (ushort)endPoint.Port);
        if (endPoint.AddressFamily == AddressFamily.InterNetwork)
        {
            *(ushort*)destination = Native.AF_INET;
            endPoint.Address.TryWriteBytes(new Span<byte>(destination + 4, 4), out _);
            return IPv4Length;
        }
        *(ushort*)destination = Native.AF_INET6;
        endPoint.Address.TryWriteBytes(new Span<byte>(destination + 8, 16), out _);
        *(uint*)(destination + 24) = (uint)endPoint.Address.ScopeId;
        return MaxLength;
    }

    /// <summary>Reads an address; an IPv4-mapped one comes back as IPv4.</summary>
    public static IPEndPoint Read(byte* source)
    {
        int port = BinaryPrimitives.ReadUInt16BigEndian(new ReadOnlySpan<byte>(source + 2, 2));
        if (*(ushort*)source == Native.AF_INET)
            return new IPEndPoint(new IPAddress(new ReadOnlySpan<byte>(source + 4, 4)), port);
        var bytes = new ReadOnlySpan<byte>(source + 8, 16);
        var address = new IPAddress(bytes);
        if (address.IsIPv4MappedToIPv6)
            return new IPEndPoint(address.MapToIPv4(), port);
        uint scope = *(uint*)(source + 24);
        return new IPEndPoint(scope == 0 ? address : new IPAddress(bytes, scope), port);
    }

    /// <summary>The form of <paramref name="remote"/> that a socket of the given family can send to; null when there is none.</summary>
    public static IPEndPoint? ForFamily(IPEndPoint remote, AddressFamily family)
    {
        if (family == remote.AddressFamily)
            return remote;
        if (family == AddressFamily.InterNetworkV6)
            return new IPEndPoint(remote.Address.MapToIPv6(), remote.Port);
        return remote.Address.IsIPv4MappedToIPv6 ? new IPEndPoint(remote.Address.MapToIPv4(), remote.Port) : null;
    }

    /// <summary>The network that limits per source count: /32 of IPv4 and /56 of IPv6.</summary>
    public static ulong SourcePrefix(byte* address)
    {
        const ulong IPv4Mark = 1UL << 63;
        if (*(ushort*)address == Native.AF_INET)
            return IPv4Mark | *(uint*)(address + 4);
        var bytes = new ReadOnlySpan<byte>(address + 8, 16);
        if (bytes[..10].IndexOfAnyExcept((byte)0) < 0 && bytes[10] == 0xff && bytes[11] == 0xff)
            return IPv4Mark | *(uint*)(address + 20);
        return BinaryPrimitives.ReadUInt64BigEndian(bytes) >> 8;
    }

    /// <summary>Whether two addresses of ngtcp2 are the same.</summary>
    public static bool AreEqual(in ngtcp2_addr left, in ngtcp2_addr right) =>
        left.addrlen == right.addrlen
        && new ReadOnlySpan<byte>(left.addr, (int)left.addrlen).SequenceEqual(new ReadOnlySpan<byte>(right.addr, (int)right.addrlen));
}
