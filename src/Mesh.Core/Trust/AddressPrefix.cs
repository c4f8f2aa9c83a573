using System.Globalization;
using System.Net;
using System.Net.Sockets;

namespace EventMesh.Trust;

/// <summary>Ranges of addresses in one form: bits after the prefix are zero, IPv4-mapped IPv6 is IPv4.</summary>
public static class AddressPrefix
{
    private const int MappedBits = 96;

    /// <summary>The one form of a range.</summary>
    public static IPNetwork Normalize(IPNetwork prefix) => Create(prefix.BaseAddress, prefix.PrefixLength);

    /// <summary>Reads <c>address/length</c>, or a single address; false when it is malformed.</summary>
    public static bool TryParse(string? text, out IPNetwork prefix)
    {
        prefix = default;
        if (string.IsNullOrEmpty(text)) return false;
        int slash = text.IndexOf('/', StringComparison.Ordinal);
        // A number alone is an address for IPAddress too: 7 is 0.0.0.7.
        string host = slash < 0 ? text : text[..slash];
        if (!host.Contains('.', StringComparison.Ordinal) && !host.Contains(':', StringComparison.Ordinal)) return false;
        if (!IPAddress.TryParse(host, out IPAddress? address) || address.ScopeIdOrZero() != 0) return false;
        int length = BitsOf(address);
        if (slash >= 0 && (!int.TryParse(text.AsSpan(slash + 1), NumberStyles.None, CultureInfo.InvariantCulture, out length) || length > BitsOf(address)))
            return false;
        prefix = Create(address, length);
        return true;
    }

    /// <summary>The range that counts as one source: /32 of IPv4, /56 of IPv6.</summary>
    public static IPNetwork SourceOf(IPAddress address)
    {
        ArgumentNullException.ThrowIfNull(address);
        return address.AddressFamily == AddressFamily.InterNetwork || address.IsIPv4MappedToIPv6 ? Create(address, BitsOf(address)) : Create(address, 56);
    }

    /// <summary>
    /// The network that an address is counted in where one owner must not pass for many: /24 of IPv4, /48 of IPv6, the smallest that are routed globally.
    /// </summary>
    internal static IPNetwork NetworkOf(IPAddress address) => Create(address, address.AddressFamily == AddressFamily.InterNetwork ? 24 : 48);

    internal static IPNetwork Create(IPAddress address, int length)
    {
        Span<byte> bytes = stackalloc byte[16];
        address.TryWriteBytes(bytes, out int count);
        if (address.IsIPv4MappedToIPv6 && length >= MappedBits)
        {
            bytes = bytes[12..];
            count = 4;
            length -= MappedBits;
        }
        bytes = bytes[..count];
        for (int i = 0; i < count; i++)
        {
            int bits = Math.Clamp(length - (i * 8), 0, 8);
            bytes[i] &= (byte)(0xff << (8 - bits));
        }
        return new IPNetwork(new IPAddress(bytes), length);
    }

    private static int BitsOf(IPAddress address) => address.AddressFamily == AddressFamily.InterNetwork ? 32 : 128;

    private static long ScopeIdOrZero(this IPAddress address) => address.AddressFamily == AddressFamily.InterNetworkV6 ? address.ScopeId : 0;
}
