using System.Net;
using System.Text.Json;
using Npgsql;

namespace EventMesh.Marten.Projections.Internal;

/// <summary>Values as people read them in SQL, in the form that they have in events.</summary>
internal static class Texts
{
    public static string[] Write(IReadOnlyList<IPEndPoint> endpoints) => [.. endpoints.Select(endpoint => endpoint.ToString())];

    public static string Write<T>(T value)
        where T : struct, Enum => JsonNamingPolicy.CamelCase.ConvertName(value.ToString());

    // U+0000 is the one character that PostgreSQL's text does not take; peers choose some of these texts.
    public static string Write(string text) => text.Replace('\0', '\ufffd');

    public static IReadOnlyList<IPEndPoint> ReadEndPoints(NpgsqlDataReader reader, int ordinal) =>
        [.. reader.GetFieldValue<string[]>(ordinal).Select(IPEndPoint.Parse)];

    public static string? ReadOptional(NpgsqlDataReader reader, int ordinal) => reader.IsDBNull(ordinal) ? null : reader.GetString(ordinal);

    public static T Read<T>(NpgsqlDataReader reader, int ordinal)
        where T : struct, Enum => Enum.Parse<T>(reader.GetString(ordinal), ignoreCase: true);
}
