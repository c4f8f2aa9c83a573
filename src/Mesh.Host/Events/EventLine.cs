using System.Globalization;
using System.Text;
using System.Text.Json;
using EventMesh.Host.Commands;
using EventMesh.Host.Endpoints;

namespace EventMesh.Host.Events;

/// <summary>An event on one line, for people.</summary>
internal static class EventLine
{
    /// <summary>Place, time, name and fields.</summary>
    public static string Format(EventView recorded)
    {
        string time = recorded.Time.UtcDateTime.ToString("yyyy-MM-dd HH:mm:ss.fff'Z'", CultureInfo.InvariantCulture);
        return $"{recorded.Seq,6}  {time}  {recorded.Event,-36}  {FormatData(recorded.Data)}".TrimEnd();
    }

    /// <summary>The fields as <c>name=value</c>: identities shortened, binary data by its length.</summary>
    public static string FormatData(JsonElement data)
    {
        StringBuilder line = new();
        if (data.ValueKind != JsonValueKind.Object) return TextTable.Printable(data.ToString());
        foreach (JsonProperty property in data.EnumerateObject())
        {
            if (property.Value.ValueKind == JsonValueKind.Null) continue;
            if (line.Length > 0) line.Append(' ');
            line.Append(property.Name).Append('=').Append(FormatValue(property.Name, property.Value));
        }
        return TextTable.Printable(line.ToString());
    }

    private static string FormatValue(string name, JsonElement value) => value.ValueKind switch
    {
        JsonValueKind.String when name == "certificate" && value.TryGetBytesFromBase64(out byte[]? bytes) => $"({bytes.Length} bytes)",
        JsonValueKind.String when PeerId.TryParse(value.GetString(), out PeerId peer) => peer.ToShortString(),
        JsonValueKind.String when Guid.TryParse(value.GetString(), out Guid id) => id.ToString("N")[^8..],
        JsonValueKind.String => Quote(value.GetString()!),
        JsonValueKind.Array => $"[{string.Join(' ', value.EnumerateArray().Select(e => FormatValue(name, e)))}]",
        _ => value.ToString(),
    };

    private static string Quote(string text) => text.Contains(' ', StringComparison.Ordinal) || text.Length == 0 ? $"\"{text}\"" : text;
}
