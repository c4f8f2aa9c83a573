using System.Net;
using System.Net.Sockets;

namespace EventMesh.Wire;

/// <summary>How far an address reaches: an address is only worth telling to those who share its scope.</summary>
internal static class AddressScope
{
    public static bool IsGlobal(IPAddress address) => !IPAddress.IsLoopback(address) && !IsPrivate(address);

    /// <summary>RFC 1918, RFC 3927, RFC 4193 and RFC 4291 link-local addresses.</summary>
    public static bool IsPrivate(IPAddress address)
    {
        if (address.AddressFamily == AddressFamily.InterNetworkV6)
            return address.IsIPv6LinkLocal || address.IsIPv6UniqueLocal || address.IsIPv6SiteLocal;
        Span<byte> bytes = stackalloc byte[4];
        address.TryWriteBytes(bytes, out _);
        return bytes[0] == 10 || (bytes[0] == 172 && bytes[1] is >= 16 and < 32) || (bytes[0] == 192 && bytes[1] == 168)
            || (bytes[0] == 169 && bytes[1] == 254) || (bytes[0] == 100 && bytes[1] is >= 64 and < 128);
    }

    /// <summary>
    /// Whether an address may be told to, or believed from, a peer at <paramref name="other"/>: loopback only on the same machine, private
    /// addresses only within private networks.
    /// </summary>
    public static bool IsShared(IPAddress address, IPAddress other) =>
        IsUnicast(address) && IsInScope(address, other);

    private static bool IsInScope(IPAddress address, IPAddress other) =>
        IPAddress.IsLoopback(address) ? IPAddress.IsLoopback(other)
        : !IsPrivate(address) || IsPrivate(other) || IPAddress.IsLoopback(other);

    /// <summary>Neither unspecified, which dials ourselves, nor multicast, broadcast or reserved.</summary>
    public static bool IsUnicast(IPAddress address)
    {
        if (address.AddressFamily == AddressFamily.InterNetworkV6) return !address.Equals(IPAddress.IPv6Any) && !address.IsIPv6Multicast;
        Span<byte> bytes = stackalloc byte[4];
        address.TryWriteBytes(bytes, out _);
        return bytes[0] is > 0 and < 224;
    }
}
