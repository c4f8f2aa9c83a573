namespace EventMesh.Host.Demo;

/// <summary>Finds the folder with the echo plugin.</summary>
internal static class DemoPlugins
{
    /// <summary>The variable that names it.</summary>
    public const string Variable = "EVENTMESH_DEMO_PLUGINS";

    private const string PluginFolder = "EchoPlugin";

    /// <summary>The folder that is named, or the one that the build made beside this program or above it.</summary>
    /// <exception cref="MeshException"><see cref="MeshError.PluginUnusable"/>: there is none.</exception>
    public static string Find(string? named)
    {
        named ??= Environment.GetEnvironmentVariable(Variable);
        if (!string.IsNullOrEmpty(named))
        {
            return Directory.Exists(named)
                ? Path.GetFullPath(named)
                : throw new MeshException(MeshError.PluginUnusable, $"There is no plugin folder {Path.GetFullPath(named)}. Name the one that holds {PluginFolder}.");
        }
        // The program is in artifacts/bin/Mesh.Host/release, the plugins in artifacts/plugins; in an image they are side by side.
        for (DirectoryInfo? folder = new(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            string candidate = Path.Combine(folder.FullName, "plugins");
            if (Directory.Exists(Path.Combine(candidate, PluginFolder))) return candidate;
        }
        throw new MeshException(
            MeshError.PluginUnusable,
            $"The demo's plugin was not found: no folder plugins/{PluginFolder} is beside the program or above it. Build it with `dotnet build samples/EchoPlugin`, or name its folder with --plugins.");
    }
}
