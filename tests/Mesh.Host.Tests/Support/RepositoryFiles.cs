namespace EventMesh.Host.Tests.Support;

/// <summary>Files of the repository that tests compare the program with.</summary>
internal static class RepositoryFiles
{
    /// <summary>The text of a file, by its path from the repository's root.</summary>
    public static string Read(string path)
    {
        for (DirectoryInfo? folder = new(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            if (File.Exists(Path.Combine(folder.FullName, "EventMesh.sln"))) return File.ReadAllText(Path.Combine(folder.FullName, path));
        }
        throw new FileNotFoundException("The repository is not above the tests.", path);
    }
}
