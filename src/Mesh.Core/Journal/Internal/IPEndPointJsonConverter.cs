using System.Net;
using System.Net.Sockets;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace EventMesh.Journal.Internal;

/// <summary>Writes an endpoint as <c>127.0.0.1:4433</c> or <c>[::1]:4433</c>.</summary>
internal sealed class IPEndPointJsonConverter : JsonConverter<IPEndPoint>
{
    public override IPEndPoint Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options)
    {
        string? text = reader.GetString();
        // IPEndPoint.TryParse takes a bare address for one with port 0: a lost port must not become an endpoint.
        if (text is null || !IPEndPoint.TryParse(text, out IPEndPoint? endpoint) || !HasPort(text, endpoint.AddressFamily))
            throw new JsonException("Not an endpoint (address:port or [address]:port).");
        return endpoint;
    }

    public override void Write(Utf8JsonWriter writer, IPEndPoint value, JsonSerializerOptions options) =>
        writer.WriteStringValue(value.ToString());

    private static bool HasPort(string text, AddressFamily family) =>
        family == AddressFamily.InterNetworkV6 ? text.Contains("]:", StringComparison.Ordinal) : text.Contains(':', StringComparison.Ordinal);
}
