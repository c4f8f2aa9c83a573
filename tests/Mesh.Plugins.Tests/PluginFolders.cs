namespace EventMesh.Plugins.Tests;

/// <summary>A folder of plugin folders, copied from what the build left in artifacts.</summary>
internal sealed class PluginFolders : IDisposable
{
    private static readonly string Artifacts = Path.GetFullPath(Path.Combine(AppContext.BaseDirectory, "../../../"));

    public string Root { get; } = Directory.CreateTempSubdirectory("mesh-plugins-").FullName;

    public static string Asset(string name) => Path.Combine(Artifacts, "test-plugins", name);

    public static string Echo => Path.Combine(Artifacts, "plugins", "EchoPlugin");

    public static string PubSub => Path.Combine(Artifacts, "plugins-optional", "EventMesh.Plugins.PubSub");

    /// <summary>Copies a plugin of the test assets, under its own name or another.</summary>
    public string Add(string asset, string? folder = null) => Copy(Asset(asset), folder ?? asset);

    public string Copy(string source, string folder)
    {
        string target = AddEmpty(folder);
        foreach (string file in Directory.EnumerateFiles(source))
            File.Copy(file, Path.Combine(target, Path.GetFileName(file)), overwrite: true);
        return target;
    }

    public string AddEmpty(string folder) => Directory.CreateDirectory(Path.Combine(Root, folder)).FullName;

    public void Dispose() => Directory.Delete(Root, recursive: true);
}
