using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Net;

namespace EventMesh.Node;

/// <summary>A contact's <c>host:port</c>, with an address or a DNS name; IPv6 addresses in brackets.</summary>
public static class ContactAddress
{
    /// <summary>Takes it apart; false when it is malformed.</summary>
    public static bool TryParse(string? text, [NotNullWhen(true)] out string? host, out int port)
    {
        host = null;
        port = 0;
        int colon = text?.LastIndexOf(':') ?? -1;
        if (colon <= 0 || !int.TryParse(text.AsSpan(colon + 1), NumberStyles.None, CultureInfo.InvariantCulture, out port)
            || port is 0 or > IPEndPoint.MaxPort)
            return false;
        host = text![..colon];
        if (host.StartsWith('[') && host.EndsWith(']')) host = host[1..^1];
        return Uri.CheckHostName(host) is not UriHostNameType.Unknown;
    }

    /// <summary>The one form of a contact, by which it is pinned: in lower case, an address as it is printed; null when it is malformed.</summary>
    public static string? Canonical(string? contact)
    {
        if (!TryParse(contact, out string? host, out int port)) return null;
        if (!IPAddress.TryParse(host, out IPAddress? address)) return string.Create(CultureInfo.InvariantCulture, $"{host.ToLowerInvariant()}:{port}");
        return new IPEndPoint(address.IsIPv4MappedToIPv6 ? address.MapToIPv4() : address, port).ToString();
    }

    /// <summary>Finds the addresses of a contact, by DNS where it is a name.</summary>
    /// <remarks>The task fails with <see cref="MeshException"/> and <see cref="MeshError.Unreachable"/> when the name is not known.</remarks>
    public static async Task<IReadOnlyList<IPEndPoint>> ResolveAsync(string contact, CancellationToken cancellationToken)
    {
        if (!TryParse(contact, out string? host, out int port))
            throw new MeshException(MeshError.InvalidConfiguration, $"'{contact}' is not host:port.");
        if (IPAddress.TryParse(host, out IPAddress? address)) return [new IPEndPoint(address, port)];
        try
        {
            IPAddress[] addresses = await Dns.GetHostAddressesAsync(host, cancellationToken).ConfigureAwait(false);
            return [.. addresses.Select(a => new IPEndPoint(a, port))];
        }
        catch (Exception e) when (e is System.Net.Sockets.SocketException or ArgumentException)
        {
            throw new MeshException(MeshError.Unreachable, $"The name '{host}' of a contact can't be resolved: {e.Message}", e);
        }
    }
}
