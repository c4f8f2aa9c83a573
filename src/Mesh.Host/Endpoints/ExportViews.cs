namespace EventMesh.Host.Endpoints;

/// <summary>The last line of an export on its way: a file that lacks it was cut off.</summary>
internal sealed record ExportEnd(long Exported);

/// <summary>A log that was imported.</summary>
internal sealed record ImportView(Guid Node, long Events);
