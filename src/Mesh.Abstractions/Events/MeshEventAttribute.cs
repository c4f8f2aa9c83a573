namespace EventMesh.Events;

/// <summary>The stable name of an event on disk, independent of its CLR name, and its stream.</summary>
/// <param name="name">The name in lower case, dotted: <c>peer.joined</c>.</param>
/// <param name="version">The version of the shape, from 1.</param>
/// <param name="family">The stream that the event belongs to.</param>
[AttributeUsage(AttributeTargets.Class, Inherited = false)]
public sealed class MeshEventAttribute(string name, int version, StreamFamily family) : Attribute
{
    /// <summary>The name in lower case, dotted.</summary>
    public string Name { get; } = name;

    /// <summary>The version of the shape, from 1.</summary>
    public int Version { get; } = version;

    /// <summary>The stream that the event belongs to.</summary>
    public StreamFamily Family { get; } = family;

    /// <summary>The name on disk: <c>peer.joined.v1</c>.</summary>
    public string WireName => $"{Name}.v{Version}";
}
