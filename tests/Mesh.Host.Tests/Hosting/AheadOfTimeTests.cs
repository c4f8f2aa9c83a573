using System.Reflection.PortableExecutable;
using EventMesh.Host.Commands;

namespace EventMesh.Host.Tests.Hosting;

public sealed class AheadOfTimeTests
{
    [Fact]
    public void A_release_build_of_the_host_has_native_code_where_the_compiler_could_be_restored()
    {
        // By eng/crossgen.sh, into the folder of packages.
        string packages = Environment.GetEnvironmentVariable("NUGET_PACKAGES")
            ?? Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.UserProfile), ".nuget", "packages");
        if (!Directory.Exists(packages) || Directory.GetDirectories(packages, "microsoft.netcore.app.crossgen2.*").Length == 0)
            Assert.Skip("The ahead-of-time compiler is not on this machine.");
#if DEBUG
        Assert.Skip("A debug build is not compiled ahead of time.");
#endif
        using PEReader host = new(File.OpenRead(typeof(MeshCommandLine).Assembly.Location));

        host.PEHeaders.CorHeader!.ManagedNativeHeaderDirectory.Size.ShouldBeGreaterThan(0);
    }
}
