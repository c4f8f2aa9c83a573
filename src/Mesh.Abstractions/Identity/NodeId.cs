using System.Text.Json.Serialization;

namespace EventMesh.Identity;

/// <summary>
/// The log's tenant: a local UUID made at first start, which outlives the rotation of the node's key. It never leaves the
/// node's own store; peers know each other by <see cref="PeerId"/>.
/// </summary>
/// <param name="Value">The UUID.</param>
[JsonConverter(typeof(NodeIdJsonConverter))]
public readonly record struct NodeId(Guid Value)
{
    /// <summary>Reads the text form, a UUID.</summary>
    /// <exception cref="FormatException"><paramref name="text"/> is not a UUID.</exception>
    public static NodeId Parse(string text) => new(Guid.Parse(text));

    /// <summary>The UUID in lower-case with hyphens.</summary>
    public override string ToString() => Value.ToString("D");
}
