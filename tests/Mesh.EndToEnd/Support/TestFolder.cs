using System.Diagnostics;

namespace EventMesh.EndToEnd.Support;

/// <summary>A temporary folder for data directories; with it goes what private servers keep elsewhere.</summary>
internal sealed class TestFolder : IDisposable
{
    private static readonly string[] Elsewhere = ["/var/lib/eventmesh", "/run/eventmesh"];

    /// <summary>Where it is.</summary>
    public string Path { get; } = Directory.CreateTempSubdirectory("mesh-e2e-").FullName;

    /// <summary>A path in it.</summary>
    public string this[string name] => System.IO.Path.Combine(Path, name);

    /// <summary>PostgreSQL processes whose files are of the nodes in this folder.</summary>
    public IReadOnlyList<string> Servers()
    {
        string[] ids = NodeIds();
        return
        [
            .. Process.GetProcessesByName("postgres").Select(CommandLine)
                .Where(c => c.Contains(Path, StringComparison.Ordinal) || ids.Any(id => c.Contains(id, StringComparison.Ordinal))),
        ];
    }

    public void Dispose()
    {
        foreach (string id in NodeIds())
        {
            foreach (string place in Elsewhere.Where(Directory.Exists))
            {
                foreach (string left in Directory.GetDirectories(place, $"*{id}*")) Directory.Delete(left, recursive: true);
            }
        }
        Directory.Delete(Path, recursive: true);
    }

    private static string CommandLine(Process process)
    {
        try
        {
            return File.ReadAllText($"/proc/{process.Id}/cmdline");
        }
        catch (IOException)
        {
            return "";
        }
    }

    // As the folders of private servers are named.
    private string[] NodeIds() =>
        [.. Directory.GetFiles(Path, "node-id", SearchOption.AllDirectories).Select(f => Guid.Parse(File.ReadAllText(f).Trim()).ToString("N"))];
}
