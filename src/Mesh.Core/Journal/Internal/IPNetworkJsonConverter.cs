using System.Net;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace EventMesh.Journal.Internal;

/// <summary>Writes a range of addresses as <c>192.0.2.0/24</c> or <c>2001:db8::/56</c>.</summary>
internal sealed class IPNetworkJsonConverter : JsonConverter<IPNetwork>
{
    public override IPNetwork Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) =>
        IPNetwork.TryParse(reader.GetString(), out IPNetwork prefix) ? prefix : throw new JsonException("Not a range of addresses (address/length).");

    public override void Write(Utf8JsonWriter writer, IPNetwork value, JsonSerializerOptions options) => writer.WriteStringValue(value.ToString());

    // The ledger's ranges are keys of a dictionary, in a snapshot of the state.
    public override IPNetwork ReadAsPropertyName(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) =>
        Read(ref reader, typeToConvert, options);

    public override void WriteAsPropertyName(Utf8JsonWriter writer, IPNetwork value, JsonSerializerOptions options) =>
        writer.WritePropertyName(value.ToString());
}
