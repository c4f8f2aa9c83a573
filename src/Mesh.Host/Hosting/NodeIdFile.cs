namespace EventMesh.Host.Hosting;

/// <summary>The node's id in its data directory, for commands that work without the node.</summary>
internal static class NodeIdFile
{
    private const string Name = "node-id";

    /// <summary>The id; null when no node has run on the directory.</summary>
    /// <exception cref="MeshException"><see cref="MeshError.DataDirectoryUnusable"/>: the file can't be read or holds something else.</exception>
    public static NodeId? Read(string dataDirectory)
    {
        string file = Path.Combine(dataDirectory, Name);
        try
        {
            return File.Exists(file) ? NodeId.Parse(File.ReadAllText(file).Trim()) : null;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or FormatException)
        {
            throw new MeshException(MeshError.DataDirectoryUnusable, $"The node's id in '{file}' can't be read: {e.Message}", e);
        }
    }
}
