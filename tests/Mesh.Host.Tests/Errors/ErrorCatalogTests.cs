using System.Text.Json;
using System.Text.RegularExpressions;
using EventMesh.Host.Control;
using EventMesh.Host.Errors;
using EventMesh.Host.Tests.Support;
using Microsoft.Extensions.Options;

namespace EventMesh.Host.Tests.Errors;

public sealed partial class ErrorCatalogTests
{
    public static TheoryData<MeshError> Errors => [.. Enum.GetValues<MeshError>()];

    [Theory]
    [MemberData(nameof(Errors))]
    public void Every_error_has_an_exit_code_a_status_and_a_problem_type(MeshError error)
    {
        ErrorEntry entry = ErrorCatalog.Get(error);
        entry.ExitCode.ShouldNotBe(ExitCode.Success);
        entry.ExitCode.ShouldNotBe(ExitCode.Interrupted);
        Enum.IsDefined(entry.ExitCode).ShouldBeTrue();
        entry.Status.ShouldBeInRange(400, 599);
        SlugPattern().IsMatch(entry.Slug).ShouldBeTrue();
    }

    [Fact]
    public void Problem_types_are_unique() => Enum.GetValues<MeshError>().Select(e => ErrorCatalog.Get(e).Type).ShouldBeUnique();

    [Fact]
    public void The_documentation_has_the_row_of_every_error()
    {
        string document = RepositoryFiles.Read("docs/errors.md");
        foreach (MeshError error in Enum.GetValues<MeshError>())
        {
            ErrorEntry entry = ErrorCatalog.Get(error);
            document.ShouldContain($"| `{entry.Slug}` | {error} | {entry.Status} | {(int)entry.ExitCode} |");
        }
    }

    [Fact]
    public void The_documentation_has_the_row_of_every_exit_code()
    {
        string document = RepositoryFiles.Read("docs/cli.md");
        foreach (ExitCode code in Enum.GetValues<ExitCode>()) document.ShouldContain($"| {(int)code} | {code} |");
    }

    [Theory]
    [MemberData(nameof(Errors))]
    public void An_exception_survives_the_way_through_a_problem(MeshError error)
    {
        MeshException sent = new(error, "The cause: the remedy.") { RemoteCode = 7 };
        string json = JsonSerializer.Serialize(MeshProblem.From(sent), ControlJson.Options);
        MeshException received = JsonSerializer.Deserialize<MeshProblem>(json, ControlJson.Options)!.ToException();
        received.Error.ShouldBe(error);
        received.Message.ShouldBe(sent.Message);
        received.RemoteCode.ShouldBe(7ul);
    }

    [Fact]
    public void All_failures_of_a_validation_are_told()
    {
        MeshException exception = new OptionsValidationException("x", typeof(object), ["first", "second"]).ToMeshException();
        exception.Error.ShouldBe(MeshError.InvalidConfiguration);
        exception.Message.ShouldContain("first");
        exception.Message.ShouldContain("second");
    }

    [GeneratedRegex("^[a-z]+(-[a-z]+)*$")]
    private static partial Regex SlugPattern();
}
