using System.Text.Json;

namespace EventMesh.Marten.Store.Internal;

/// <summary>What a backup says about itself; its last entry, so that one that was cut short has none.</summary>
internal sealed record BackupManifest(
    int Format, int SchemaVersion, DateTimeOffset Time, string Server, IReadOnlyList<BackupTable> Tables, IReadOnlyList<BackupSequence> Sequences)
{
    public const int CurrentFormat = 1;
    public const string EntryName = "manifest.json";

    public static JsonSerializerOptions Options { get; } = new(JsonSerializerDefaults.Web) { WriteIndented = true };
}

/// <summary>A table of a backup.</summary>
internal sealed record BackupTable(string Name, IReadOnlyList<string> Columns, long Rows)
{
    public string EntryName => $"tables/{Name}";

    public string ColumnList => string.Join(", ", Columns.Select(column => $"\"{column}\""));
}

/// <summary>A sequence of a backup.</summary>
internal sealed record BackupSequence(string Name, long Value);
