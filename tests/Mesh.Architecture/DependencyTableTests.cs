using System.Reflection.Metadata;
using System.Reflection.PortableExecutable;
using NetArchTest.Rules;
using Shouldly;
using Xunit;

namespace EventMesh.Architecture;

/// <summary>Holds the table of projects in docs/architecture.md: who may reference what.</summary>
public sealed class DependencyTableTests
{
    private const string Any = "*";

    /// <summary>A row for each project; a name that ends in * stands for all that begin so.</summary>
    private static readonly IReadOnlyList<Row> Table =
    [
        new("Mesh.Abstractions", [], ["MediatR", "Microsoft.Extensions.*.Abstractions"]),
        new("Mesh.Core", ["Mesh.Abstractions"],
            ["Microsoft.Extensions.*", "Google.Protobuf", "Grpc.Tools", "Microsoft.Data.Sqlite"]),
        new("Mesh.Transport.Ngtcp2", ["Mesh.Core"], []),
        new("Mesh.Marten", ["Mesh.Core"],
            ["Marten", "JasperFx", "JasperFx.Events", "DistributedLock.Postgres", "Npgsql", "Npgsql.*"]),
        new("Mesh.Plugins", ["Mesh.Core"], ["MediatR", "Microsoft.Extensions.DependencyInjection"]),
        new("Mesh.Plugins.PubSub", ["Mesh.Abstractions"], []),
        new("Mesh.Plugins.Nats", ["Mesh.Abstractions"], ["NATS.Net"]),
        new("Mesh.Testing", ["Mesh.Abstractions", "Mesh.Core"], []),
        new("Mesh.Host", [Any], [Any]),
    ];

    /// <summary>Assemblies that only the named projects may use, also when another package brings them along.</summary>
    private static readonly IReadOnlyList<(string Assembly, string[] Owners)> Owned =
    [
        ("Marten", ["Mesh.Marten"]),
        // JasperFx.Events brings a source generator, which adds a reference to what refers to Mesh.Marten.
        ("JasperFx*", ["Mesh.Marten", "Mesh.Host"]),
        ("Npgsql*", ["Mesh.Marten", "Mesh.Host"]),
        ("OpenTelemetry*", ["Mesh.Host"]),
        ("Microsoft.AspNetCore*", ["Mesh.Host"]),
        ("Spectre.Console*", ["Mesh.Host"]),
        ("System.CommandLine*", ["Mesh.Host"]),
        ("Google.Protobuf", ["Mesh.Core"]),
        ("Microsoft.Data.Sqlite", ["Mesh.Core"]),
    ];

    public static TheoryData<string> ProductProjects => new(ProjectFile.Product.Select(project => project.Name));

    /// <summary>
    /// A layer and the ones that come after it in the data's way or beside it, which it must not know.
    /// </summary>
    public static TheoryData<string, string[]> Layers => new()
    {
        { "Transport", ["Wire", "Sessions", "Trust", "Bootstrap", "Journal", "Projections"] },
        { "Wire", ["Sessions", "Trust", "Bootstrap", "Journal", "Projections"] },
        { "Journal", ["Transport", "Wire", "Sessions", "Bootstrap"] },
        { "Projections", ["Transport", "Wire", "Sessions", "Bootstrap", "Journal"] },
    };

    [Theory]
    [MemberData(nameof(ProductProjects))]
    public void Project_references_only_the_projects_of_its_row(string name)
    {
        Row row = RowOf(name);

        ProjectOf(name).ProjectReferences.Where(reference => !row.Projects.Any(reference.Matches)).ShouldBeEmpty();
    }

    [Theory]
    [MemberData(nameof(ProductProjects))]
    public void Project_references_only_the_packages_of_its_row(string name)
    {
        Row row = RowOf(name);

        ProjectOf(name).PackageReferences.Where(package => !row.Packages.Any(package.Matches)).ShouldBeEmpty();
    }

    [Theory]
    [MemberData(nameof(ProductProjects))]
    public void Assembly_uses_no_library_that_belongs_to_another_project(string name)
    {
        IEnumerable<string> foreign = ReferencedAssemblies(ProjectOf(name))
            .Where(assembly => Owned.Any(owned =>
                assembly.Matches(owned.Assembly) && !owned.Owners.Contains(name, StringComparer.Ordinal)));

        foreign.ShouldBeEmpty();
    }

    [Fact]
    public void Only_the_ngtcp2_transport_and_its_tests_allow_unsafe_code()
    {
        IEnumerable<string> allowing = ProjectFile.All
            .Where(project => !project.IsBelow("benchmarks/Reference"))
            .Where(project => project.Property("AllowUnsafeBlocks") is "true")
            .Select(project => project.Name);

        allowing.ShouldBe(["Mesh.Transport.Ngtcp2", "Mesh.Transport.Ngtcp2.Tests"]);
        RepositoryFiles.Read("Directory.Build.props").ShouldNotContain("AllowUnsafeBlocks");
        RepositoryFiles.Read("Directory.Build.targets").ShouldNotContain("AllowUnsafeBlocks");
    }

    [Fact]
    public void Samples_compile_against_what_is_packed()
    {
        string[] packed = ProjectFile.Product
            .Where(project => project.Property("IsPackable") is "true")
            .Select(project => project.Name)
            .ToArray();

        foreach (ProjectFile sample in ProjectFile.All.Where(project => project.IsBelow("samples")))
        {
            sample.ProjectReferences.ShouldBeSubsetOf(packed, sample.File);
        }
    }

    [Theory]
    [MemberData(nameof(Layers))]
    public void Layer_of_the_core_does_not_know_what_comes_after_it(string layer, string[] unknown)
    {
        NetArchTest.Rules.TestResult result = Types.FromFile(Path.Combine(AppContext.BaseDirectory, "EventMesh.Core.dll"))
            .That().ResideInNamespace($"EventMesh.{layer}")
            .ShouldNot().HaveDependencyOnAny(unknown.Select(other => $"EventMesh.{other}").ToArray())
            .GetResult();

        (result.FailingTypeNames ?? []).ShouldBeEmpty();
    }

    private static Row RowOf(string name) =>
        Table.SingleOrDefault(row => row.Project == name)
        ?? throw new InvalidOperationException($"{name} has no row in the table of {nameof(DependencyTableTests)}.");

    private static ProjectFile ProjectOf(string name) => ProjectFile.Product.Single(project => project.Name == name);

    private static List<string> ReferencedAssemblies(ProjectFile project)
    {
        string assembly = project.Property("AssemblyName") ?? project.Name.Replace("Mesh.", "EventMesh.");
        using FileStream file = File.OpenRead(Path.Combine(AppContext.BaseDirectory, assembly + ".dll"));
        using PEReader reader = new(file);
        MetadataReader metadata = reader.GetMetadataReader();
        return metadata.AssemblyReferences
            .Select(handle => metadata.GetString(metadata.GetAssemblyReference(handle).Name))
            .ToList();
    }

    private sealed record Row(string Project, string[] Projects, string[] Packages);
}
