using System.Xml.Linq;

namespace EventMesh.Architecture;

/// <summary>What a project file says by itself; Directory.Build files add the same to all of them.</summary>
internal sealed class ProjectFile
{
    private readonly XDocument _document;

    private ProjectFile(string file)
    {
        File = file;
        _document = XDocument.Parse(RepositoryFiles.Read(file));
    }

    public static IReadOnlyList<ProjectFile> All { get; } = RepositoryFiles.All
        .Where(file => file.EndsWith(".csproj", StringComparison.Ordinal))
        .Select(file => new ProjectFile(file))
        .ToList();

    /// <summary>The projects of the product.</summary>
    public static IEnumerable<ProjectFile> Product => All.Where(project => project.IsBelow("src"));

    /// <summary>The path relative to the root.</summary>
    public string File { get; }

    public string Name => Path.GetFileNameWithoutExtension(File);

    public string Folder => Path.GetDirectoryName(File)!;

    public IEnumerable<string> ProjectReferences =>
        Items("ProjectReference").Select(path => Path.GetFileNameWithoutExtension(path.Replace('\\', '/')));

    public IEnumerable<string> PackageReferences => Items("PackageReference");

    public bool IsBelow(string folder) => File.StartsWith(folder + "/", StringComparison.Ordinal);

    /// <summary>Whether the file, relative to the root, belongs to the project.</summary>
    public bool Holds(string file) => file.StartsWith(Folder + "/", StringComparison.Ordinal);

    public string? Property(string name) => _document.Descendants(name).LastOrDefault()?.Value;

    private IEnumerable<string> Items(string kind) =>
        _document.Descendants(kind).Select(item => item.Attribute("Include")?.Value).OfType<string>();
}
