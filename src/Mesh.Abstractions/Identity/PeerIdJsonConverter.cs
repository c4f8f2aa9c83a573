using System.Text.Json;
using System.Text.Json.Serialization;

namespace EventMesh.Identity;

/// <summary>Writes a <see cref="PeerId"/> as its 52 character text, also as a dictionary key.</summary>
public sealed class PeerIdJsonConverter : JsonConverter<PeerId>
{
    /// <inheritdoc/>
    public override PeerId Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) =>
        PeerId.TryParse(reader.GetString(), out PeerId id) ? id : throw new JsonException("Not a peer identity.");

    /// <inheritdoc/>
    public override void Write(Utf8JsonWriter writer, PeerId value, JsonSerializerOptions options)
    {
        ArgumentNullException.ThrowIfNull(writer);
        writer.WriteStringValue(value.ToString());
    }

    /// <inheritdoc/>
    public override PeerId ReadAsPropertyName(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) =>
        Read(ref reader, typeToConvert, options);

    /// <inheritdoc/>
    public override void WriteAsPropertyName(Utf8JsonWriter writer, PeerId value, JsonSerializerOptions options)
    {
        ArgumentNullException.ThrowIfNull(writer);
        writer.WritePropertyName(value.ToString());
    }
}
