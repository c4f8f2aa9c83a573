using System.Globalization;
using System.Text;
using System.Text.Json;
using EventMesh.Identity;
using EventMesh.Journal.Internal;
using EventMesh.Marten.Store.Internal;
using Npgsql;

namespace EventMesh.Marten.Audit.Internal;

/// <summary>An event as it is stored: nothing of it is read into a type of this program.</summary>
internal sealed record AuditRow(
    long Place, Guid Id, string Type, byte[] Data, DateTimeOffset Time, int Epoch, string? Trace, byte[]? Link, string Stream)
{
    private static readonly JsonDocumentOptions Deep = new() { MaxDepth = 1024 };

    /// <summary>The digest that it was recorded with, where it was erased since.</summary>
    public byte[]? Was { get; init; }

    /// <summary>The erasures that changed it, in order: the place of each one's event and the digest of the content that it left.</summary>
    public IReadOnlyList<(long By, byte[] Digest)> Erasures { get; init; } = [];

    /// <summary>The digest of what is stored.</summary>
    public byte[] Digest(NodeId node) => EventChain.Digest(node, Id, Epoch, Place, Time, Type, Data, Trace);

    /// <summary>The row of <see cref="BlockReader.RawPage"/>. Whatever somebody has written into it, it is a finding and no failure: in a block all is text.</summary>
    public static AuditRow Read(NpgsqlDataReader row)
    {
        using JsonDocument? headers = Parse(row.GetString(5));
        byte[] data = row.GetFieldValue<byte[]>(3);
        if (row.GetBoolean(7) && !IsJson(data))
            data = JsonSerializer.SerializeToUtf8Bytes(new { noJson = Encoding.UTF8.GetString(data) });
        return new(
            row.GetInt64(0), row.GetGuid(1), row.GetString(2), data, row.GetFieldValue<DateTimeOffset>(4),
            int.TryParse(Text(headers, LogTables.EpochHeader), CultureInfo.InvariantCulture, out int epoch) ? epoch : 0, Text(headers, LogTables.TraceHeader),
            Bytes(Text(headers, LogTables.HashHeader)), row.GetString(6))
        {
            Was = Bytes(Text(headers, LogTables.WasHeader)),
            Erasures = ReadErasures(headers),
        };
    }

    /// <summary>The link in a row's headers; null without one.</summary>
    public static byte[]? LinkOf(string headers)
    {
        using JsonDocument? document = Parse(headers);
        return Bytes(Text(document, LogTables.HashHeader));
    }

    private static JsonDocument? Parse(string json)
    {
        try
        {
            return JsonDocument.Parse(json, Deep);
        }
        catch (JsonException)
        {
            return null;
        }
    }

    private static bool IsJson(byte[] data)
    {
        try
        {
            using var document = JsonDocument.Parse(data, Deep);
            return true;
        }
        catch (JsonException)
        {
            return false;
        }
    }

    private static JsonElement? Header(JsonDocument? headers, string name) =>
        headers?.RootElement is { ValueKind: JsonValueKind.Object } root && root.TryGetProperty(name, out JsonElement value) && value.ValueKind != JsonValueKind.Null
            ? value
            : null;

    private static string? Text(JsonDocument? headers, string name) =>
        Header(headers, name) is not { } value ? null : value.ValueKind == JsonValueKind.String ? value.GetString() : value.GetRawText();

    private static byte[]? Bytes(string? text)
    {
        byte[] bytes = new byte[64];
        return text is { Length: < 64 } && Convert.TryFromBase64String(text, bytes, out int written) ? bytes[..written] : null;
    }

    private static IReadOnlyList<(long By, byte[] Digest)> ReadErasures(JsonDocument? headers)
    {
        if (Header(headers, LogTables.ErasedHeader) is not { } erased)
            return [];
        try
        {
            return [.. erased.EnumerateArray().Select(each => (each.GetProperty("by").GetInt64(), each.GetProperty("digest").GetBytesFromBase64()))];
        }
        catch (Exception exception) when (exception is InvalidOperationException or KeyNotFoundException or FormatException)
        {
            // Erased by nothing that the log knows.
            return [(0, [])];
        }
    }
}
