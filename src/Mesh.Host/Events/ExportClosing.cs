namespace EventMesh.Host.Events;

/// <summary>What the last event of an export as CloudEvents says of the ones before.</summary>
/// <param name="After">They begin after this place.</param>
/// <param name="Through">The last place of the range.</param>
/// <param name="Events">How many they are.</param>
/// <param name="Types">The names of the events that were chosen; null for all. Only all can be imported.</param>
/// <param name="Sha256">The SHA-256 of their lines in UTF-8, each with a line feed; hexadecimal, lower case.</param>
internal sealed record ExportClosing(long After, long Through, long Events, IReadOnlyList<string>? Types, string Sha256);
