using System.Reflection;
using System.Text.Json;

namespace EventMesh.Plugins.Loading.Internal;

/// <summary>
/// Forgets what System.Text.Json has cached about types. Its default options are the process's, so a plugin that serializes a type of its
/// own with them, as most do, could never be unloaded. The runtime has no public way, but one for its hot reload.
/// </summary>
internal static class SerializerCaches
{
    private static readonly MethodInfo? ClearCache = typeof(JsonSerializerOptions).Assembly
        .GetType("System.Text.Json.JsonSerializerOptionsUpdateHandler")?
        .GetMethod("ClearCache", BindingFlags.Static | BindingFlags.Public | BindingFlags.NonPublic, [typeof(Type[])]);

    /// <summary>Clears the caches, which costs the next serialization of each type some microseconds; without effect where the runtime has changed.</summary>
    public static void Clear() => ClearCache?.Invoke(obj: null, [null]);
}
