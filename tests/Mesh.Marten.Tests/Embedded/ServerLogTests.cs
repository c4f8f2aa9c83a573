using EventMesh.Marten.Embedded.Internal;
using EventMesh.Marten.Tests.Fixture;
using Shouldly;
using Xunit;

namespace EventMesh.Marten.Tests.Embedded;

/// <summary>The file that has what the private server writes.</summary>
public sealed class ServerLogTests
{
    [Fact]
    public void A_full_disk_costs_the_file_its_lines_and_nothing_else()
    {
        if (!File.Exists("/dev/full"))
            Assert.Skip("This system has no /dev/full.");
        using var log = new ServerLog("/dev/full");

        log.Add("first");
        log.Add("second");

        log.LastLines().ShouldBe(["first", "second"]);
    }

    [Fact]
    public void The_file_is_begun_anew_at_its_limit_and_the_one_before_is_kept()
    {
        using var folder = new TempFolder();
        string path = Path.Combine(folder.Path, "server.log");
        using (var log = new ServerLog(path))
        {
            log.Add(new string('ü', 600_000));
            log.Add("after");
        }

        File.ReadAllText(path).ShouldBe("after\n");
        new FileInfo(path + ".1").Length.ShouldBe(1_200_001);
    }
}
