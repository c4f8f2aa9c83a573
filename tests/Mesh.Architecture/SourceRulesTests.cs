using System.Text.RegularExpressions;
using Shouldly;
using Xunit;

namespace EventMesh.Architecture;

/// <summary>Where types live and what sources do not contain.</summary>
public sealed partial class SourceRulesTests
{
    private const int LongestFile = 800;

    [Fact]
    public void Namespaces_follow_folders()
    {
        List<string> wrong = [];
        foreach (ProjectFile project in ProjectFile.Product)
        {
            string root = project.Property("RootNamespace") ?? project.Name.Replace("Mesh.", "EventMesh.");
            foreach (string file in RepositoryFiles.Sources.Where(project.Holds))
            {
                Match declared = Namespace().Match(RepositoryFiles.Read(file));
                string folder = Path.GetDirectoryName(file)![project.Folder.Length..].Replace('/', '.');
                // Program.cs and files of assembly attributes have none; registration is found without a using.
                if (declared.Success && declared.Groups["name"].Value is string name
                    && name != root + folder && name != "Microsoft.Extensions.DependencyInjection")
                {
                    wrong.Add($"{file}: {name} instead of {root + folder}");
                }
            }
        }

        wrong.ShouldBeEmpty();
    }

    [Fact]
    public void File_holds_one_public_type_and_bears_its_name()
    {
        List<string> wrong = [];
        foreach (string file in RepositoryFiles.Sources.Where(file => !HoldsEventFamily(file)))
        {
            string[] types = PublicTypes(file);
            // MeshNode.Sending.cs is the part of MeshNode that sends.
            string expected = Path.GetFileName(file).Split('.')[0];
            if (types.Length > 0 && !types.Contains(expected) || (types.Length > 1 && !HoldsState(file)))
            {
                wrong.Add($"{file}: {string.Join(", ", types)}");
            }
        }

        wrong.ShouldBeEmpty();
    }

    [Fact]
    public void File_of_several_public_types_holds_only_records_and_enumerations()
    {
        List<string> wrong = [];
        foreach (string file in RepositoryFiles.Sources.Where(file => HoldsEventFamily(file) || HoldsState(file)))
        {
            wrong.AddRange(TopLevelType().Matches(RepositoryFiles.Read(file))
                .Where(type => type.Groups["kind"].Value is not ("record" or "enum"))
                .Select(type => $"{file}: {type.Groups["name"].Value}"));
        }

        wrong.ShouldBeEmpty();
    }

    [Fact]
    public void Folders_named_Internal_hold_no_public_type()
    {
        RepositoryFiles.Sources
            .Where(file => file.Contains("/Internal/", StringComparison.Ordinal) && PublicTypes(file).Length > 0)
            .ShouldBeEmpty();
    }

    [Fact]
    public void Sources_hold_no_unfinished_work()
    {
        RepositoryFiles.All
            .Where(file => file.StartsWith("src/", StringComparison.Ordinal)
                || file.StartsWith("samples/", StringComparison.Ordinal)
                || file.StartsWith("eng/", StringComparison.Ordinal))
            .Where(file => Unfinished().IsMatch(RepositoryFiles.Read(file)))
            .ShouldBeEmpty();
    }

    [Fact]
    public void Sources_are_short_enough_to_read()
    {
        RepositoryFiles.Sources
            .Where(file => RepositoryFiles.Read(file).AsSpan().Count('\n') > LongestFile)
            .ShouldBeEmpty();
    }

    /// <summary>A documented exception: a stream's events are one vocabulary and are read together.</summary>
    private static bool HoldsEventFamily(string file) =>
        file.StartsWith("src/Mesh.Abstractions/Events/", StringComparison.Ordinal)
        && file.EndsWith("Events.cs", StringComparison.Ordinal);

    /// <summary>A documented exception: a fold's state and the record of its entries.</summary>
    private static bool HoldsState(string file) =>
        file.StartsWith("src/Mesh.Core/Projections/", StringComparison.Ordinal)
        && file.EndsWith("State.cs", StringComparison.Ordinal);

    private static string[] PublicTypes(string file) =>
        TopLevelType().Matches(RepositoryFiles.Read(file))
            .Where(type => type.Groups["access"].Value == "public")
            .Select(type => type.Groups["name"].Value)
            .Distinct(StringComparer.Ordinal)
            .ToArray();

    // With file-scoped namespaces, which the build demands, types of a namespace start at the margin.
    [GeneratedRegex(
        @"^(?<access>public|internal)\s+(?:(?:static|sealed|abstract|partial|readonly|ref|unsafe)\s+)*"
        + @"(?:(?<kind>record)(?:\s+(?:class|struct))?|(?<kind>class|struct|interface|enum)|(?<kind>delegate)\s+\S+)"
        + @"\s+(?<name>\w+)",
        RegexOptions.Multiline | RegexOptions.ExplicitCapture)]
    private static partial Regex TopLevelType();

    [GeneratedRegex(@"^namespace\s+(?<name>[\w.]+)", RegexOptions.Multiline | RegexOptions.ExplicitCapture)]
    private static partial Regex Namespace();

    [GeneratedRegex(@"\b(TODO|FIXME|HACK|NotImplementedException)\b", RegexOptions.ExplicitCapture)]
    private static partial Regex Unfinished();
}
