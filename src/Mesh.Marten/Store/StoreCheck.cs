namespace EventMesh.Marten.Store;

/// <summary>How a schema stands to this program.</summary>
/// <param name="Schema">The schema.</param>
/// <param name="Version">Its version; 0 when it is not there.</param>
/// <param name="Expected">The version that this program makes and understands.</param>
/// <param name="Differences">What is missing or differs from what this program makes, a line each; empty when nothing does.</param>
public sealed record StoreCheck(string Schema, int Version, int Expected, IReadOnlyList<string> Differences)
{
    /// <summary>Whether a node can run on it.</summary>
    public bool IsCurrent => Version == Expected && Differences.Count == 0;
}
