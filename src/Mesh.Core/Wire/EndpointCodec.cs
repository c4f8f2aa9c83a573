using System.Net;
using EventMesh.Wire.Frames;
using Google.Protobuf;

namespace EventMesh.Wire;

/// <summary>Endpoints on the wire.</summary>
internal static class EndpointCodec
{
    public static Endpoint ToFrame(IPEndPoint endpoint)
    {
        IPAddress address = endpoint.Address.IsIPv4MappedToIPv6 ? endpoint.Address.MapToIPv4() : endpoint.Address;
        return new Endpoint { Address = ByteString.CopyFrom(address.GetAddressBytes()), Port = (uint)endpoint.Port };
    }

    /// <summary>Reads one; null when it is malformed.</summary>
    public static IPEndPoint? FromFrame(Endpoint? frame) =>
        frame is { Address.Length: 4 or 16, Port: > 0 and <= IPEndPoint.MaxPort }
            ? new IPEndPoint(Normalize(new IPAddress(frame.Address.Span)), (int)frame.Port)
            : null;

    /// <summary>IPv4-mapped IPv6 addresses are IPv4 addresses everywhere above the socket.</summary>
    public static IPAddress Normalize(IPAddress address) => address.IsIPv4MappedToIPv6 ? address.MapToIPv4() : address;

    public static IPEndPoint Normalize(IPEndPoint endpoint) =>
        endpoint.Address.IsIPv4MappedToIPv6 ? new IPEndPoint(endpoint.Address.MapToIPv4(), endpoint.Port) : endpoint;
}
