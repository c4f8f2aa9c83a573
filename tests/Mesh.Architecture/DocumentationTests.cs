using System.Text.RegularExpressions;
using Shouldly;
using Xunit;

namespace EventMesh.Architecture;

/// <summary>Links in Markdown lead somewhere, and decisions are numbered without gaps.</summary>
public sealed partial class DocumentationTests
{
    private static IEnumerable<string> Pages =>
        RepositoryFiles.All.Where(file => file.EndsWith(".md", StringComparison.Ordinal));

    [Fact]
    public void Relative_links_lead_to_files_and_headings()
    {
        List<string> broken = [];
        foreach (string page in Pages)
        {
            foreach (Match link in Link().Matches(WithoutCode(RepositoryFiles.Read(page))))
            {
                string target = link.Groups["target"].Value;
                if (!Uri.TryCreate(target, UriKind.Absolute, out _) && !Resolves(page, target))
                {
                    broken.Add($"{page}: {target}");
                }
            }
        }

        broken.ShouldBeEmpty();
    }

    [Fact]
    public void Decision_records_are_numbered_without_gaps()
    {
        string[] records = RepositoryFiles.All
            .Where(file => file.StartsWith("docs/adr/", StringComparison.Ordinal))
            .Select(file => Path.GetFileName(file))
            .ToArray();

        records.ShouldNotBeEmpty();
        records.ShouldAllBe(name => RecordName().IsMatch(name));
        records.Select(name => name[..4]).ShouldBe(
            Enumerable.Range(1, records.Length).Select(number => $"{number:0000}"));
    }

    private static bool Resolves(string page, string target)
    {
        string[] parts = target.Split('#', 2);
        string path = parts[0].Length == 0
            ? page
            : Path.GetRelativePath(
                RepositoryFiles.Root,
                Path.Combine(RepositoryFiles.Root, Path.GetDirectoryName(page)!, Uri.UnescapeDataString(parts[0])));
        string full = Path.Combine(RepositoryFiles.Root, path);
        return parts.Length == 1 || !path.EndsWith(".md", StringComparison.Ordinal)
            ? File.Exists(full) || Directory.Exists(full)
            : File.Exists(full) && Headings(RepositoryFiles.Read(path)).Contains(parts[1]);
    }

    private static IEnumerable<string> Headings(string text) =>
        Heading().Matches(WithoutCode(text)).Select(heading => Slug(heading.Groups["text"].Value));

    // As the usual Markdown hosts do it: lower case, punctuation dropped, spaces to hyphens.
    private static string Slug(string heading) =>
        string.Concat(heading.Trim().ToLowerInvariant()
            .Where(letter => char.IsLetterOrDigit(letter) || letter is ' ' or '-' or '_')
            .Select(letter => letter == ' ' ? '-' : letter));

    private static string WithoutCode(string text) => Code().Replace(text, string.Empty);

    [GeneratedRegex(@"\]\(<?(?<target>[^)\s>]+)>?(\s+""[^""]*"")?\)", RegexOptions.ExplicitCapture)]
    private static partial Regex Link();

    [GeneratedRegex(@"^#{1,6}\s+(?<text>.+)$", RegexOptions.Multiline | RegexOptions.ExplicitCapture)]
    private static partial Regex Heading();

    [GeneratedRegex(@"^```.*?^```", RegexOptions.Multiline | RegexOptions.Singleline)]
    private static partial Regex Code();

    [GeneratedRegex(@"^\d{4}-[a-z0-9-]+\.md$")]
    private static partial Regex RecordName();

    /// <summary>So that what a reader copies has been compiled.</summary>
    [Fact]
    public void The_readmes_code_is_the_samples_code()
    {
        string[] blocks = [.. Regex.Matches(RepositoryFiles.Read("README.md"), "```csharp\n(?<code>.*?)\n```", RegexOptions.Singleline).Select(match => match.Groups["code"].Value)];
        string samples = RepositoryFiles.Read("samples/EmbeddedNode/Program.cs") + RepositoryFiles.Read("samples/EchoPlugin/EchoPlugin.cs");

        blocks.Length.ShouldBe(2);
        blocks.ShouldAllBe(block => samples.Contains(block, StringComparison.Ordinal));
    }

    /// <summary>So that no threat is answered by a test that is gone.</summary>
    [Fact]
    public void The_tests_that_the_threat_model_names_exist()
    {
        string[] tests = [.. RepositoryFiles.All.Where(file => file.StartsWith("tests/", StringComparison.Ordinal) && file.EndsWith(".cs", StringComparison.Ordinal)).Select(RepositoryFiles.Read)];
        string[] rows = [.. RepositoryFiles.Read("docs/security.md").Split('\n').Where(line => line.StartsWith("| **", StringComparison.Ordinal))];
        List<string> missing = [];
        foreach (string row in rows)
        {
            string[] named = [.. Regex.Matches(row.Split('|')[^2], "`(?<name>[^`]+)`").Select(match => match.Groups["name"].Value)];
            named.ShouldNotBeEmpty(row);
            foreach (string name in named)
            {
                int dot = name.IndexOf('.', StringComparison.Ordinal);
                string type = dot < 0 ? name : name[..dot];
                bool isClass = type.EndsWith("Tests", StringComparison.Ordinal);
                string method = name[(dot + 1)..];
                if (!tests.Any(text => (!isClass || text.Contains($" class {type}", StringComparison.Ordinal)) && (name == type && isClass || text.Contains($" {method}(", StringComparison.Ordinal))))
                    missing.Add(name);
            }
        }

        rows.Length.ShouldBeGreaterThan(10);
        missing.ShouldBeEmpty();
    }
}
