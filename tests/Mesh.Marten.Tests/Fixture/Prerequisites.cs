using Xunit;

namespace EventMesh.Marten.Tests.Fixture;

internal static class Prerequisites
{
    /// <summary>Skips the test on a developer's machine and fails it in CI, where a skipped suite would be a hole that nobody sees.</summary>
    public static void Missing(string reason)
    {
        if (Environment.GetEnvironmentVariable("CI") == "true")
            Assert.Fail(reason);
        Assert.Skip(reason);
    }
}
