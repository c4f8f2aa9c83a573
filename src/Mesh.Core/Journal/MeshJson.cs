using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization;
using System.Text.Json.Serialization.Metadata;
using EventMesh.Events;
using EventMesh.Journal.Internal;

namespace EventMesh.Journal;

/// <summary>
/// The JSON form of events, in the store and in the spool: camelCase names and enumeration members, endpoints as <c>address:port</c> or
/// <c>[address]:port</c>, ranges of addresses as <c>address/length</c>, durations as <c>[-][d.]hh:mm:ss[.fffffff]</c>, bytes as base64. Unknown fields are skipped, missing ones refused.
/// </summary>
public static class MeshJson
{
    /// <summary>The options, read-only.</summary>
    public static JsonSerializerOptions Options { get; } = Create();

    /// <summary>Gives other options the form of events; for a store that needs options of its own.</summary>
    public static void Configure(JsonSerializerOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        options.PropertyNamingPolicy = JsonNamingPolicy.CamelCase;
        options.UnmappedMemberHandling = JsonUnmappedMemberHandling.Skip;
        options.RespectNullableAnnotations = true;
        options.RespectRequiredConstructorParameters = true;
        options.Converters.Add(new JsonStringEnumConverter(JsonNamingPolicy.CamelCase, allowIntegerValues: false));
        options.Converters.Add(new IPEndPointJsonConverter());
        options.Converters.Add(new IPNetworkJsonConverter());
    }

    /// <summary>An event's content as UTF-8 JSON.</summary>
    public static byte[] Serialize(IMeshEvent data)
    {
        ArgumentNullException.ThrowIfNull(data);
        return JsonSerializer.SerializeToUtf8Bytes(data, data.GetType(), Options);
    }

    /// <summary>Reads an event's content.</summary>
    /// <exception cref="MeshException"><see cref="MeshError.StoreIncompatible"/>: the content is not of this shape.</exception>
    public static IMeshEvent Deserialize(EventDescriptor descriptor, ReadOnlySpan<byte> json)
    {
        ArgumentNullException.ThrowIfNull(descriptor);
        try
        {
            object? data = descriptor.Upcasts.Count == 0
                ? JsonSerializer.Deserialize(json, descriptor.Type, Options)
                : Upcast(descriptor, json).Deserialize(descriptor.Type, Options);
            return (IMeshEvent?)data ?? throw new JsonException("It is null.");
        }
        // An upcast's own failures mean the same: the content is not of the shape that it was published with.
        catch (Exception exception) when (exception is JsonException || descriptor.Upcasts.Count > 0)
        {
            throw new MeshException(
                MeshError.StoreIncompatible, $"The content of an event '{descriptor.WireName}' can't be read: {exception.Message}", exception);
        }
    }

    private static JsonObject Upcast(EventDescriptor descriptor, ReadOnlySpan<byte> json)
    {
        JsonObject content = JsonNode.Parse(json) as JsonObject ?? throw new JsonException("It is no object.");
        foreach (EventUpcast upcast in descriptor.Upcasts)
            content = upcast.Apply(content);
        return content;
    }

    private static JsonSerializerOptions Create()
    {
        var options = new JsonSerializerOptions
        {
            TypeInfoResolver = JsonTypeInfoResolver.Combine(MeshJsonContext.Default, new DefaultJsonTypeInfoResolver()),
        };
        Configure(options);
        options.MakeReadOnly();
        return options;
    }
}
