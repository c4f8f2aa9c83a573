using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace EventMesh.Host.Control;

/// <summary>How the control interface and <c>--output json</c> write JSON: camelCase, enumerations by name, no nulls left out.</summary>
internal static class ControlJson
{
    /// <summary>The settings, shared by both sides.</summary>
    public static readonly JsonSerializerOptions Options = Create();

    /// <summary>Applies the settings.</summary>
    public static void Configure(JsonSerializerOptions options)
    {
        options.PropertyNamingPolicy = JsonNamingPolicy.CamelCase;
        options.PropertyNameCaseInsensitive = true;
        // Read by programs and in terminals, never inside HTML: control characters stay escaped, quotes and letters of all languages need not be.
        options.Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping;
        options.Converters.Add(new JsonStringEnumConverter(JsonNamingPolicy.CamelCase));
    }

    private static JsonSerializerOptions Create()
    {
        JsonSerializerOptions options = new(JsonSerializerDefaults.Web);
        Configure(options);
        options.MakeReadOnly(populateMissingResolver: true);
        return options;
    }
}
