namespace EventMesh.Host.Events;

/// <summary>The first line of an exported log in JSON lines: whose log it is, and what of it.</summary>
/// <param name="Format">Always <see cref="Name"/>.</param>
/// <param name="Version">The version of the form: 1.</param>
/// <param name="Node">The node whose log it is.</param>
/// <param name="After">The events begin after this place.</param>
/// <param name="Through">The last place of the range.</param>
/// <param name="Types">The names of the events that were chosen; null for all. Only all can be imported.</param>
internal sealed record ExportHeader(string Format, int Version, Guid Node, long After, long Through, IReadOnlyList<string>? Types)
{
    /// <summary>What tells the form.</summary>
    public const string Name = "eventmesh-log";
}
