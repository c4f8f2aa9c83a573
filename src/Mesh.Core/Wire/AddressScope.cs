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

    /// <summary>Whether two addresses count as one source: the same /32 of IPv4 or /56 of IPv6.</summary>
    public static bool IsSameSource(IPAddress one, IPAddress other)
    {
        if (one.AddressFamily != other.AddressFamily) return false;
        if (one.AddressFamily == AddressFamily.InterNetwork) return one.Equals(other);
        Span<byte> a = stackalloc byte[16], b = stackalloc byte[16];
        one.TryWriteBytes(a, out _);
        other.TryWriteBytes(b, out _);
        return a[..7].SequenceEqual(b[..7]);
    }

    /// <summary>
    /// The network that an address is counted in where one owner must not pass for many: /24 of IPv4, /48 of IPv6, the smallest that are routed globally.
    /// </summary>
    public static IPNetwork NetworkOf(IPAddress address)
    {
        Span<byte> bytes = stackalloc byte[16];
        address.TryWriteBytes(bytes, out int length);
        int kept = length == 4 ? 3 : 6;
        bytes[kept..length].Clear();
        return new IPNetwork(new IPAddress(bytes[..length]), kept * 8);
    }

    /// <summary>The source prefix for people and the log: /32 or /56.</summary>
    public static string PrefixOf(IPAddress address)
    {
        if (address.AddressFamily == AddressFamily.InterNetwork) return $"{address}/32";
        Span<byte> bytes = stackalloc byte[16];
        address.TryWriteBytes(bytes, out _);
        bytes[7..].Clear();
        return $"{new IPAddress(bytes)}/56";
    }
}
