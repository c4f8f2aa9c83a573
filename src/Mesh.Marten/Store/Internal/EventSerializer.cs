using System.Buffers;
using System.Text.Json;
using EventMesh.Journal;
using Marten;
using Marten.Services;
using Npgsql;
using NpgsqlTypes;

namespace EventMesh.Marten.Store.Internal;

/// <summary>
/// The JSON form of events as PostgreSQL's <c>jsonb</c> takes it: it refuses the character U+0000, which a peer can send in any text.
/// It is written as U+FFFD, so that no peer can make a batch that never gets into the log.
/// </summary>
internal sealed class EventSerializer : SystemTextJsonSerializer, ISerializer
{
    private static readonly JsonSerializerOptions Options = MeshJson.Options;

    // Options given to the base class's constructor it would change.
    public EventSerializer() => Configure(MeshJson.Configure);

    // Marten writes events and headers through these.
    void Weasel.Storage.IStorageSerializer.WriteTo(IBufferWriter<byte> writer, object? value) => writer.Write(Serialize(value));

    void ISerializer.WriteToParameter(NpgsqlParameter parameter, object? value)
    {
        parameter.NpgsqlDbType = NpgsqlDbType.Jsonb;
        parameter.Value = value is null ? DBNull.Value : Serialize(value);
    }

    public static byte[] Serialize(object? value)
    {
        byte[] json = JsonSerializer.SerializeToUtf8Bytes(value, value?.GetType() ?? typeof(object), Options);
        ReplaceNul(json);
        return json;
    }

    /// <summary>Replaces each escaped U+0000 in place; an escaped backslash before <c>u0000</c> is text.</summary>
    internal static void ReplaceNul(Span<byte> json)
    {
        ReadOnlySpan<byte> nul = "\\u0000"u8;
        int at = 0;
        while (at < json.Length)
        {
            int found = json[at..].IndexOf((byte)'\\');
            if (found < 0)
                return;
            at += found;
            if (json[at..].StartsWith(nul))
                "\\ufffd"u8.CopyTo(json[at..]);
            at += 2;
        }
    }
}
