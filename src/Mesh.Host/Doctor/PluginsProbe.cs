using EventMesh.Plugins;
using Microsoft.Extensions.Options;

namespace EventMesh.Host.Doctor;

/// <summary>Examines the plugin folder. Plugins are not loaded: that would run their code.</summary>
internal sealed class PluginsProbe(IOptions<PluginOptions> options) : IDoctorProbe
{
    private const string Name = "plugins";

    public Task<IReadOnlyList<DoctorCheck>> ExamineAsync(CancellationToken cancellationToken) => Task.FromResult<IReadOnlyList<DoctorCheck>>([Examine()]);

    private DoctorCheck Examine()
    {
        if (string.IsNullOrEmpty(options.Value.Directory)) return DoctorCheck.Ok(Name, "none: Plugins:Directory is not set");
        string path = Path.GetFullPath(options.Value.Directory);
        if (!Directory.Exists(path))
        {
            return DoctorCheck.Failed(
                Name, new MeshException(MeshError.PluginUnusable, $"there is no folder {path} (Plugins:Directory)"), "Make it, or name another with --plugins.");
        }
        string[] names = [.. Directory.GetDirectories(path).Select(d => Path.GetFileName(d)).Order(StringComparer.Ordinal)];
        return DoctorCheck.Ok(Name, names.Length == 0 ? $"{path} is empty" : $"{path} holds {string.Join(", ", names)}");
    }
}
