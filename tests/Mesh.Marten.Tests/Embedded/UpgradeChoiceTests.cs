using EventMesh.Marten.Embedded.Internal;
using Shouldly;
using Xunit;

namespace EventMesh.Marten.Tests.Embedded;

/// <summary>From and to which PostgreSQL an upgrade goes, and what is missing where there is no way.</summary>
public sealed class UpgradeChoiceTests
{
    private static readonly PostgresBinaries V15 = new("/15", 15);
    private static readonly PostgresBinaries V16 = new("/16", 16);
    private static readonly PostgresBinaries V17 = new("/17", 17);

    [Fact]
    public void It_goes_from_the_version_of_the_cluster_to_the_newest() =>
        UpgradeChoice.Choose("/data", 15, [V16, V15, V17], wanted: null).ShouldBe((V15, V17));

    [Fact]
    public void It_goes_to_the_version_that_the_configuration_names() =>
        UpgradeChoice.Choose("/data", 15, [V16, V15, V17], V16).ShouldBe((V15, V16));

    [Fact]
    public void With_the_newest_already_there_is_nothing_to_do() =>
        UpgradeChoice.Choose("/data", 17, [V15, V17], wanted: null).ShouldBe((V17, V17));

    [Fact]
    public void Without_the_old_programs_their_package_is_named()
    {
        MeshException exception = Should.Throw<MeshException>(() => UpgradeChoice.Choose("/data", 15, [V16, V17], wanted: null));

        exception.Error.ShouldBe(MeshError.StoreIncompatible);
        exception.Message.ShouldContain("'postgresql-15'");
        exception.Message.ShouldContain("16 (/16) and 17 (/17)");
        exception.Message.ShouldContain("--old-bin");
    }

    [Fact]
    public void Without_any_programs_a_package_is_named() =>
        Should.Throw<MeshException>(() => UpgradeChoice.Choose("/data", 15, [], wanted: null)).Message.ShouldContain("'postgresql'");

    [Fact]
    public void It_does_not_go_to_an_older_version() =>
        Should.Throw<MeshException>(() => UpgradeChoice.Choose("/data", 16, [V15, V16], V15)).Message.ShouldContain("older version");

    [Fact]
    public void A_configuration_that_names_the_old_programs_is_told_from_nothing_to_do()
    {
        MeshException exception = Should.Throw<MeshException>(() => UpgradeChoice.Choose("/data", 15, [V15, V17], V15));

        exception.Error.ShouldBe(MeshError.InvalidConfiguration);
        exception.Message.ShouldContain("EventMesh:Store:PostgresBin");
        exception.Message.ShouldContain("/17");
    }
}
