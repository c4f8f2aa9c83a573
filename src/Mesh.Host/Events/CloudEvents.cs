using System.Globalization;
using System.Text.Json;
using EventMesh.Host.Control;
using EventMesh.Host.Endpoints;
using EventMesh.Journal;
using EventMesh.Projections;

namespace EventMesh.Host.Events;

/// <summary>Events of the log as CloudEvents 1.0 in the JSON format, one on a line.</summary>
internal static class CloudEvents
{
    /// <summary>What a source begins with, before the node's id.</summary>
    public const string SourcePrefix = "urn:eventmesh:node:";

    /// <summary>The type of the event at the end of an export, which is none of the log.</summary>
    public const string EndType = "eventmesh.export.ended.v1";

    // Compared as text: places have as many digits as the largest.
    private const string SequenceFormat = "D19";

    /// <summary>The CloudEvent of an event.</summary>
    public static byte[] Write(EventView recorded, Guid node)
    {
        using MemoryStream stream = new();
        using (Utf8JsonWriter writer = new(stream, new JsonWriterOptions { Encoder = ControlJson.Options.Encoder }))
        {
            writer.WriteStartObject();
            writer.WriteString("specversion", "1.0");
            writer.WriteString("id", recorded.Id);
            writer.WriteString("source", SourcePrefix + node.ToString("D"));
            writer.WriteString("type", recorded.Event);
            writer.WriteString("time", recorded.Time.UtcDateTime);
            // Whom it concerns first; the content names the others.
            EventDescriptor descriptor = EventRegistry.Default.Get(recorded.Event);
            IReadOnlyList<PeerId> subjects = EventSubjects.Of(recorded.Data.Deserialize<IMeshEvent>(descriptor));
            if (subjects.Count > 0) writer.WriteString("subject", subjects[0].ToString());
            writer.WriteString("datacontenttype", "application/json");
            writer.WriteString("sequence", recorded.Seq.ToString(SequenceFormat, CultureInfo.InvariantCulture));
            writer.WriteNumber("epoch", recorded.Epoch);
            if (recorded.TraceParent is not null) writer.WriteString("traceparent", recorded.TraceParent);
            writer.WritePropertyName("data");
            recorded.Data.WriteTo(writer);
            writer.WriteEndObject();
        }
        return stream.ToArray();
    }

    /// <summary>The CloudEvent that ends an export: what it holds, so that one that was cut off, or lost a line on its way, is known for it.</summary>
    public static byte[] WriteEnd(ExportHeader header, ExportClosing end)
    {
        using MemoryStream stream = new();
        using (Utf8JsonWriter writer = new(stream, new JsonWriterOptions { Encoder = ControlJson.Options.Encoder }))
        {
            writer.WriteStartObject();
            writer.WriteString("specversion", "1.0");
            // Of one export of one range: the same content has the same id, as the specification wants of a source.
            writer.WriteString("id", string.Create(CultureInfo.InvariantCulture, $"export-{header.After}-{header.Through}-{end.Sha256[..16]}"));
            writer.WriteString("source", SourcePrefix + header.Node.ToString("D"));
            writer.WriteString("type", EndType);
            writer.WriteString("datacontenttype", "application/json");
            writer.WriteString("sequence", header.Through.ToString(SequenceFormat, CultureInfo.InvariantCulture));
            writer.WritePropertyName("data");
            JsonSerializer.Serialize(writer, end, ControlJson.Options);
            writer.WriteEndObject();
        }
        return stream.ToArray();
    }

    /// <summary>Reads what ends an export; null for another event.</summary>
    public static ExportClosing? ReadEnd(JsonElement line) =>
        line.GetProperty("type").ValueEquals(EndType) ? line.GetProperty("data").Deserialize<ExportClosing>(ControlJson.Options) : null;

    /// <summary>Whether a line is a CloudEvent.</summary>
    public static bool IsOne(JsonElement line) => line.TryGetProperty("specversion", out _);

    /// <summary>Reads a CloudEvent that <see cref="Write"/> has made.</summary>
    /// <exception cref="FormatException">It is of another source.</exception>
    public static (Guid Node, RecordedEvent Event) Read(JsonElement line)
    {
        string source = line.GetProperty("source").GetString() ?? "";
        if (!source.StartsWith(SourcePrefix, StringComparison.Ordinal) || !Guid.TryParse(source.AsSpan(SourcePrefix.Length), out Guid node))
            throw new FormatException($"the source '{source}' is no node");
        EventDescriptor descriptor = EventRegistry.Default.Get(line.GetProperty("type").GetString() ?? "");
        RecordedEvent recorded = new(
            line.GetProperty("id").GetGuid(), line.GetProperty("epoch").GetInt32(),
            long.Parse(line.GetProperty("sequence").GetString() ?? "", NumberStyles.None, CultureInfo.InvariantCulture), line.GetProperty("time").GetDateTimeOffset(),
            line.GetProperty("data").Deserialize<IMeshEvent>(descriptor), line.TryGetProperty("traceparent", out JsonElement trace) ? trace.GetString() : null);
        return (node, recorded);
    }

    /// <summary>The content of an event.</summary>
    public static T Deserialize<T>(this JsonElement data, EventDescriptor descriptor)
        where T : IMeshEvent => (T)MeshJson.Deserialize(descriptor, JsonSerializer.SerializeToUtf8Bytes(data));
}
