using System.Text.RegularExpressions;
using Shouldly;
using Xunit;

namespace EventMesh.Architecture;

/// <summary>What the solution lists and what committed files do not say.</summary>
public sealed partial class RepositoryRulesTests
{
    private static readonly string[] BinaryExtensions = [".png", ".ico", ".woff2", ".gz", ".snk", ".pfx", ".der"];

    [Fact]
    public void Solution_lists_every_project()
    {
        string solution = RepositoryFiles.Read("EventMesh.sln").Replace('\\', '/');

        // The prototype is a yardstick that is built by itself.
        ProjectFile.All
            .Where(project => !project.IsBelow("benchmarks/Reference") && !project.IsBelow("templates"))
            .Where(project => !solution.Contains($"\"{project.File}\"", StringComparison.Ordinal))
            .Select(project => project.File)
            .ShouldBeEmpty();
    }

    [Fact]
    public void Launcher_builds_the_host_the_plugins_and_the_samples()
    {
        string filter = RepositoryFiles.Read("eng/mesh.slnf");

        ProjectFile.All
            .Where(project => project.Name == "Mesh.Host"
                || project.File.StartsWith("src/Mesh.Plugins.", StringComparison.Ordinal)
                || project.IsBelow("samples"))
            .Where(project => !filter.Contains($"\"{project.File}\"", StringComparison.Ordinal))
            .Select(project => project.File)
            .ShouldBeEmpty();
    }

    [Fact]
    public void Every_project_has_a_lock_file()
    {
        ProjectFile.All
            .Where(project => !project.IsBelow("templates"))
            .Where(project => !RepositoryFiles.All.Contains($"{project.Folder}/packages.lock.json"))
            .Select(project => project.File)
            .ShouldBeEmpty();
    }

    [Fact]
    public void Every_product_project_has_tests()
    {
        string[] tested = ProjectFile.All
            .Where(project => project.IsBelow("tests"))
            .SelectMany(project => project.ProjectReferences)
            .ToArray();

        ProjectFile.Product.Select(project => project.Name).ShouldBeSubsetOf(tested);
    }

    [Fact]
    public void Files_name_no_package_registry()
    {
        Offending(Registry()).ShouldBeEmpty();
    }

    [Fact]
    public void Files_name_no_path_of_one_machine()
    {
        Offending(MachinePath()).ShouldBeEmpty();
    }

    [Fact]
    public void Scripts_are_executable_and_stop_at_the_first_error()
    {
        string[] scripts = RepositoryFiles.All
            .Where(file => !BinaryExtensions.Contains(Path.GetExtension(file))
                && RepositoryFiles.Read(file).StartsWith("#!/usr/bin/env bash", StringComparison.Ordinal))
            .ToArray();

        scripts.ShouldContain("mesh");
        foreach (string script in scripts)
        {
            RepositoryFiles.Read(script).ShouldContain("set -euo pipefail", Case.Sensitive, script);
            if (!OperatingSystem.IsWindows())
            {
                File.GetUnixFileMode(Path.Combine(RepositoryFiles.Root, script))
                    .HasFlag(UnixFileMode.UserExecute).ShouldBeTrue(script);
            }
        }
    }

    private static IEnumerable<string> Offending(Regex pattern) =>
        from file in RepositoryFiles.All
        where !BinaryExtensions.Contains(Path.GetExtension(file))
        // This file has to spell out what no other may say.
        where !file.EndsWith($"/{nameof(RepositoryRulesTests)}.cs", StringComparison.Ordinal)
        let match = pattern.Match(RepositoryFiles.Read(file))
        where match.Success
        select $"{file}: {match.Value}";

    [GeneratedRegex(
        @"\b(api\.nuget\.org|globalcdn\.nuget\.org|(deb|security|ftp|archive)\.(debian|ubuntu)\.(org|com)"
        + @"|registry\.(npmjs|yarnpkg)\.\w+|pypi\.org|crates\.io|proxy\.golang\.org|[\w-]+\.pkg\.dev"
        + @"|pkgs\.dev\.azure\.com|[\w-]*artifactory[\w.-]*)",
        RegexOptions.IgnoreCase | RegexOptions.ExplicitCapture)]
    private static partial Regex Registry();

    [GeneratedRegex(@"(?<![\w.}])/(work|root|Users/\w+|home/(?!app\b)\w+)/", RegexOptions.ExplicitCapture)]
    private static partial Regex MachinePath();
}
