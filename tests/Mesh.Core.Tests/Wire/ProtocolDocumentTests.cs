using EventMesh.Wire;
using Shouldly;
using Xunit;

namespace EventMesh.Core.Tests.Wire;

public sealed class ProtocolDocumentTests
{
    [Fact]
    public void The_documents_table_of_codes_is_the_enumeration()
    {
        string[] documented = [.. File.ReadLines(Path.Combine(Root(), "docs", "protocol.md"))
            .SkipWhile(line => line != "## Codes")
            .Where(line => line.StartsWith("| ", StringComparison.Ordinal) && char.IsAsciiDigit(line[2]))
            .Select(line => line.Split('|', StringSplitOptions.TrimEntries))
            .Select(cells => $"{cells[1]} {cells[2]}")];

        documented.ShouldBe(Enum.GetValues<WireCode>().Select(code => $"{(ulong)code} {code}"));
    }

    private static string Root()
    {
        DirectoryInfo? folder = new(AppContext.BaseDirectory);
        while (folder is not null && !File.Exists(Path.Combine(folder.FullName, "EventMesh.sln"))) folder = folder.Parent;
        return folder.ShouldNotBeNull().FullName;
    }
}
