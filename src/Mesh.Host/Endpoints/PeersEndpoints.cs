using System.Globalization;
using System.Net;
using System.Net.Sockets;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Routing;

namespace EventMesh.Host.Endpoints;

/// <summary><c>/v1/peers</c>: who is joined; dial and disconnect.</summary>
internal static class PeersEndpoints
{
    /// <summary>Maps the endpoints.</summary>
    public static void MapPeers(this IEndpointRouteBuilder routes)
    {
        routes.MapGet("peers", (IMesh mesh) => mesh.Peers.OrderBy(p => p.JoinedAt).Select(PeerView.From));

        routes.MapPost("peers", async (ConnectRequest request, IMesh mesh, CancellationToken cancellationToken) =>
        {
            IPEndPoint endPoint = await ResolveAsync(request.Address, cancellationToken);
            return PeerView.From(await mesh.ConnectAsync(endPoint, request.Expected, cancellationToken));
        });

        routes.MapDelete("peers/{peer}", async (string peer, IMesh mesh, CancellationToken cancellationToken) =>
        {
            PeerId id = PeerSelector.Select(peer, mesh.Peers);
            PeerInfo info = mesh.Peers.FirstOrDefault(p => p.Peer == id)
                ?? throw new MeshException(MeshError.NotConnected, $"Peer {id.ToShortString()} is not joined. `mesh peers` lists those that are.");
            await mesh.DisconnectAsync(id, cancellationToken);
            return PeerView.From(info);
        });
    }

    /// <summary>The address of <c>address:port</c> or <c>name:port</c>.</summary>
    public static async Task<IPEndPoint> ResolveAsync(string? address, CancellationToken cancellationToken)
    {
        // IPEndPoint takes an address without a port too; nobody listens on port 0.
        if (IPEndPoint.TryParse(address ?? "", out IPEndPoint? endPoint) && endPoint.Port != 0) return endPoint;
        int colon = address?.LastIndexOf(':') ?? -1;
        if (colon <= 0 || !ushort.TryParse(address.AsSpan(colon + 1), NumberStyles.None, CultureInfo.InvariantCulture, out ushort port) || port == 0)
            throw new MeshException(MeshError.InvalidConfiguration, $"'{address}' is not an address: give address:port or name:port, such as 192.0.2.1:4433.");
        try
        {
            IPAddress[] addresses = await Dns.GetHostAddressesAsync(address![..colon], cancellationToken);
            if (addresses.Length > 0) return new IPEndPoint(addresses[0], port);
        }
        catch (SocketException e)
        {
            throw new MeshException(MeshError.Unreachable, $"The name in '{address}' can't be resolved: {e.Message}.", e);
        }
        throw new MeshException(MeshError.Unreachable, $"The name in '{address}' has no address.");
    }
}
