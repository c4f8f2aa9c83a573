namespace EventMesh.Host.Commands;

/// <summary>For whom a command prints.</summary>
internal enum OutputFormat
{
    /// <summary>For people.</summary>
    Text,

    /// <summary>For programs: one JSON object, or one per line where there can be many.</summary>
    Json,
}
