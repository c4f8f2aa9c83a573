using System.Text.Json.Nodes;

namespace EventMesh.Journal;

/// <summary>
/// Reads an event of an older shape: brings the JSON of one version to that of the next. What is on disk never changes; it is done at each read, in the store,
/// the spool and the local replica alike.
/// </summary>
/// <param name="Name">The event's name without its version: <c>peer.joined</c>.</param>
/// <param name="FromVersion">The version that it reads, from 1; its result has the shape of the next one.</param>
/// <param name="Apply">
/// The content of the older shape to that of the next. Pure: the same content gives the same result on every node at all times, since folds depend on it. It may
/// change the object that it is given.
/// </param>
public sealed record EventUpcast(string Name, int FromVersion, Func<JsonObject, JsonObject> Apply)
{
    /// <summary>The name on disk that it reads: <c>peer.joined.v1</c>.</summary>
    public string WireName => $"{Name}.v{FromVersion}";
}
