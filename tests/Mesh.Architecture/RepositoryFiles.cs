using System.Diagnostics;

namespace EventMesh.Architecture;

/// <summary>The files of this clone, as git sees them: tracked ones and new ones that are not ignored.</summary>
internal static class RepositoryFiles
{
    private static readonly Lazy<string> LazyRoot = new(FindRoot);
    private static readonly Lazy<IReadOnlyList<string>> LazyAll = new(List);

    /// <summary>The folder that holds EventMesh.sln, with a slash at its end.</summary>
    public static string Root => LazyRoot.Value;

    /// <summary>All files, relative to <see cref="Root" />, with forward slashes.</summary>
    public static IReadOnlyList<string> All => LazyAll.Value;

    /// <summary>The C# sources below src.</summary>
    public static IEnumerable<string> Sources =>
        All.Where(file => file.StartsWith("src/", StringComparison.Ordinal)
            && file.EndsWith(".cs", StringComparison.Ordinal));

    /// <summary>Reads a file given relative to <see cref="Root" />.</summary>
    public static string Read(string file) => File.ReadAllText(Path.Combine(Root, file));

    private static string FindRoot()
    {
        for (DirectoryInfo? folder = new(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            if (File.Exists(Path.Combine(folder.FullName, "EventMesh.sln")))
            {
                return folder.FullName + "/";
            }
        }

        throw new InvalidOperationException("EventMesh.sln is in no folder above the tests.");
    }

    private static List<string> List()
    {
        ProcessStartInfo start = new("git")
        {
            WorkingDirectory = Root,
            RedirectStandardOutput = true,
            UseShellExecute = false,
            ArgumentList = { "ls-files", "-z", "--cached", "--others", "--exclude-standard" },
        };
        using Process git = Process.Start(start) ?? throw new InvalidOperationException("git does not start.");
        string output = git.StandardOutput.ReadToEnd();
        git.WaitForExit();
        if (git.ExitCode != 0)
        {
            throw new InvalidOperationException($"git ls-files ended with {git.ExitCode}.");
        }

        return output.Split('\0', StringSplitOptions.RemoveEmptyEntries)
            .Where(file => File.Exists(Path.Combine(Root, file)))
            .Order(StringComparer.Ordinal)
            .ToList();
    }
}
