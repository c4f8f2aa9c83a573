using Shouldly;
using Xunit;

namespace EventMesh.Adversary.Attacks;

public sealed class AttackDocumentTests
{
    [Fact]
    public void The_document_lists_the_attacks_that_there_are()
    {
        string[] documented = [.. File.ReadLines(Path.Combine(Root(), "docs", "testing.md"))
            .SkipWhile(line => line != "## Attacks")
            .TakeWhile(line => line != "## Fuzzing")
            .Where(line => line.StartsWith("| ", StringComparison.Ordinal))
            .Select(line => line.Split('|', StringSplitOptions.TrimEntries)[1])
            .Skip(1)];

        IEnumerable<string> attacks = typeof(AttackDocumentTests).Assembly.GetTypes()
            .Where(type => type.Namespace == typeof(AttackDocumentTests).Namespace)
            .SelectMany(type => type.GetMethods())
            .Where(method => method.IsDefined(typeof(TheoryAttribute), inherit: false))
            .Select(method => method.Name.Replace('_', ' '));

        documented.ShouldBe(attacks, ignoreOrder: true);
        documented.Length.ShouldBeGreaterThanOrEqualTo(30);
    }

    private static string Root()
    {
        DirectoryInfo? folder = new(AppContext.BaseDirectory);
        while (folder is not null && !File.Exists(Path.Combine(folder.FullName, "EventMesh.sln"))) folder = folder.Parent;
        return folder.ShouldNotBeNull().FullName;
    }
}
