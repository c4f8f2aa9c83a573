using System.Net;
using System.Net.Sockets;

namespace EventMesh.Transport.InMemory.Internal;

internal static class Addresses
{
    public static IPEndPoint Normalize(IPEndPoint endPoint) =>
        endPoint.Address.IsIPv4MappedToIPv6 ? new IPEndPoint(endPoint.Address.MapToIPv4(), endPoint.Port) : endPoint;

    public static bool IsWildcard(IPAddress address) => address.Equals(IPAddress.Any) || address.Equals(IPAddress.IPv6Any);

    /// <summary>The address from which a socket bound to all addresses sends: the network has one machine for all of these.</summary>
    public static IPEndPoint Source(IPEndPoint local, IPEndPoint remote)
    {
        if (!IsWildcard(local.Address))
            return local;
        return new IPEndPoint(remote.AddressFamily == AddressFamily.InterNetwork ? IPAddress.Loopback : IPAddress.IPv6Loopback, local.Port);
    }

    /// <summary>A hash that is the same in every process, unlike <see cref="object.GetHashCode"/>.</summary>
    public static ulong Hash(IPEndPoint endPoint)
    {
        Span<byte> bytes = stackalloc byte[16];
        endPoint.Address.TryWriteBytes(bytes, out int length);
        ulong hash = 14695981039346656037;
        foreach (byte b in bytes[..length])
            hash = (hash ^ b) * 1099511628211;
        return (hash ^ (uint)endPoint.Port) * 1099511628211;
    }
}
